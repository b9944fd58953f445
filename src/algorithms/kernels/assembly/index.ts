/**
 * What the host calls. Pointers are byte offsets into the one shared memory, 16-byte aligned; the host allocates every
 * one of them and checks shapes, so nothing here allocates, checks or keeps state between calls.
 */
export { denseRows } from './dense';
export { gramBlocks, gramScratchBytes, packScaled, sumGram } from './gram';
export { cgScratchBytes, solveRowsCg } from './ials-cg';
export { choleskyScratchBytes, solveRowsCholesky } from './ials-cholesky';
export {
  inverseDiagonal,
  inverseFinish,
  inverseMirror,
  inversePrepare,
  inverseScratchBytes,
  inverseUpdate,
  multiplyVector,
} from './inverse';
export { itemProductsDense, itemProductsScratchBytes, itemProductsSparse } from './item-products';
export { multiplyRows, scanManyTopK, scanTopK } from './scan';
export { coarsenRows, measureRows, screenNamedTopK, screenTopK } from './screen';
