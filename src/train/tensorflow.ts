/**
 * TensorFlow.js, for training only: the one file that imports it. Which engine does the arithmetic is settled here, once:
 * the native one (`@tensorflow/tfjs-node`, optional) when it loads and passes a small training check, else WebAssembly
 * with the repairs below. Never the plain JavaScript one, which would be slow in silence.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Logger } from '../infra/logger.ts';

export type TensorFlow = typeof tf;
export type { Scalar, Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core';
export type TrainingBackend = 'tfjs-node' | 'tfjs-wasm';

let loaded: Promise<{ tf: TensorFlow; backend: TrainingBackend }> | undefined;

/** The engine of this process, chosen at the first call. */
export function loadTensorFlow(log: Logger): Promise<{ tf: TensorFlow; backend: TrainingBackend }> {
  loaded ??= choose(log);
  return loaded;
}

async function choose(log: Logger): Promise<{ tf: TensorFlow; backend: TrainingBackend }> {
  registerMissingGradients();
  const reason = await tryNative();
  if (reason === undefined) {
    log.info({ event: 'tensorflow.backend', backend: 'tfjs-node' }, 'training with native TensorFlow');
    return { tf, backend: 'tfjs-node' };
  }
  await useWasm();
  if (!learns()) throw new Error('TensorFlow.js in WebAssembly failed its training check');
  log.info({ event: 'tensorflow.backend', backend: 'tfjs-wasm', reason }, 'training in WebAssembly');
  return { tf, backend: 'tfjs-wasm' };
}

/** Why the native engine is not used; undefined = it is. */
async function tryNative(): Promise<string | undefined> {
  // By a variable: the package is optional, its types are not there to be checked against.
  const packageName = '@tensorflow/tfjs-node';
  try {
    await import(packageName);
    if (!(await tf.setBackend('tensorflow'))) return 'its backend could not be set';
    return learns() ? undefined : 'it failed its training check';
  } catch (err) {
    // Whatever it is: a package without its binding, a library that does not fit the machine, an API that Node dropped.
    return err instanceof Error ? (err.message.split('\n')[0] ?? err.name) : String(err);
  }
}

/** Makes WebAssembly the engine of this process. */
async function useWasm(): Promise<void> {
  await import('@tensorflow/tfjs-backend-wasm');
  registerMissingGradients();
  repairWasmKernels();
  await tf.setBackend('wasm');
  await tf.ready();
  if (tf.getBackend() !== 'wasm')
    throw new Error('TensorFlow.js in WebAssembly does not start on this machine');
}

/** Learns an exclusive or through a hidden layer: an engine that loads but computes wrongly is found out. */
function learns(): boolean {
  const initial = [
    tf.tensor2d([1, -1, 0.5, -0.5, 1, -1, -0.5, 0.5], [2, 4]),
    tf.zeros([4]),
    tf.tensor2d([0.1, 0.1, -0.1, -0.1], [4, 1]),
    tf.zeros([1]),
  ];
  const variables = initial.map((tensor) => tf.variable(tensor)) as [
    tf.Variable,
    tf.Variable,
    tf.Variable,
    tf.Variable,
  ];
  const [hidden, hiddenBias, output, bias] = variables;
  const optimizer = tf.train.adam(0.1);
  const loss = tf.tidy(() => {
    const x = tf.tensor2d([-1, -1, -1, 1, 1, -1, 1, 1], [4, 2]);
    const labels = tf.tensor2d([0, 1, 1, 0], [4, 1]);
    const crossEntropy = () => {
      const activation = tf.relu(tf.add(tf.matMul(x, hidden), hiddenBias));
      return sigmoidCrossEntropy(labels, tf.add(tf.matMul(activation, output), bias));
    };
    for (let step = 0; step < 100; step++) optimizer.minimize(crossEntropy, false);
    return crossEntropy().dataSync()[0] ?? Number.NaN;
  });
  optimizer.dispose();
  for (const tensor of [...initial, ...variables]) tensor.dispose();
  return loss < 0.1;
}

/**
 * Mean of max(z, 0) − y·z + ln(1 + e^−|z|): the cross entropy of labels y with logits z, and its gradient
 * (sigmoid(z) − y) / n in one step, which neither overflows nor loses digits.
 */
export function sigmoidCrossEntropy(labels: tf.Tensor, logits: tf.Tensor): tf.Scalar {
  const loss = tf.customGrad((z, save) => {
    const given = z as tf.Tensor;
    (save as tf.GradSaveFunc)([given, labels]);
    const value = tf.mean(
      tf.add(tf.sub(tf.relu(given), tf.mul(labels, given)), tf.softplus(tf.neg(tf.abs(given)))),
    );
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [savedLogits, savedLabels] = saved as [tf.Tensor, tf.Tensor];
      return tf.mul(dy, tf.div(tf.sub(tf.sigmoid(savedLogits), savedLabels), savedLogits.size));
    };
    return { value, gradFunc };
  });
  return loss(logits) as tf.Scalar;
}

/**
 * Mean over groups of −Σ t·ln softmax(z): the listwise cross entropy of ListNet, with its gradient (softmax(z) − t) /
 * groups in one step. `targets` is groups × length, each row summing to 1; `logits` has as many values; `mask` is 0 where
 * a place is taken and −1e9 where a shorter group is filled up.
 */
export function softmaxCrossEntropy(targets: tf.Tensor2D, mask: tf.Tensor2D, logits: tf.Tensor): tf.Scalar {
  const loss = tf.customGrad((z, save) => {
    const { shape } = z as tf.Tensor;
    const rows = tf.add(tf.reshape(z as tf.Tensor, targets.shape), mask);
    const highest = tf.max(rows, 1, true);
    const powers = tf.exp(tf.sub(rows, highest));
    const sums = tf.sum(powers, 1, true);
    const logSoftmax = tf.sub(tf.sub(rows, highest), tf.log(sums));
    (save as tf.GradSaveFunc)([tf.div(powers, sums), targets]);
    const value = tf.div(tf.neg(tf.sum(tf.mul(targets, logSoftmax))), targets.shape[0]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [softmax, wanted] = saved as [tf.Tensor, tf.Tensor2D];
      const gradient = tf.div(tf.sub(softmax, wanted), wanted.shape[0]);
      return tf.mul(dy, tf.reshape(gradient, shape));
    };
    return { value, gradFunc };
  });
  return loss(logits) as tf.Scalar;
}

/**
 * The Node build of tfjs-core comes without gradients (they are in the package `@tensorflow/tfjs`, with much that is not
 * needed here). These are the ones of the operations that our models are made of.
 */
function registerMissingGradients(): void {
  const add = (kernelName: string, inputsToSave: string[], gradFunc: tf.GradFunc) => {
    if (tf.getGradient(kernelName) == null) tf.registerGradient({ kernelName, inputsToSave, gradFunc });
  };
  add('BatchMatMul', ['a', 'b'], (dy, [a, b], attrs) => {
    const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
    const [g, left, right] = [dy as tf.Tensor, a as tf.Tensor, b as tf.Tensor];
    return {
      a: () => (transposeA ? tf.matMul(right, g, transposeB, true) : tf.matMul(g, right, false, !transposeB)),
      b: () => (transposeB ? tf.matMul(g, left, true, transposeA) : tf.matMul(left, g, !transposeA, false)),
    };
  });
  add('Add', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(dy as tf.Tensor, (a as tf.Tensor).shape),
    b: () => sumTo(dy as tf.Tensor, (b as tf.Tensor).shape),
  }));
  add('Sub', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(dy as tf.Tensor, (a as tf.Tensor).shape),
    b: () => sumTo(tf.neg(dy as tf.Tensor), (b as tf.Tensor).shape),
  }));
  add('Relu', ['x'], (dy, [x]) => ({ x: () => tf.mul(dy as tf.Tensor, tf.step(x as tf.Tensor)) }));
  // Along the first axis, the only one that embeddings are looked up by.
  add('GatherV2', ['x', 'indices'], (dy, [x, indices], attrs) => {
    if ((attrs as unknown as { axis: number }).axis !== 0)
      throw new Error('gather has a gradient for axis 0');
    const [g, table, rows] = [dy as tf.Tensor, x as tf.Tensor, indices as tf.Tensor];
    const flat = tf.reshape(g, [rows.size, ...table.shape.slice(1)]);
    return {
      x: () => tf.unsortedSegmentSum(flat, tf.reshape(rows, [rows.size]) as tf.Tensor1D, table.shape[0] ?? 0),
      indices: () => rows,
    };
  });
}

/** Adds up what broadcasting spread: the gradient of a shape is of that shape. */
function sumTo(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape);
}

type WasmBackend = {
  makeOutput: (shape: number[], dtype: tf.DataType) => tf.TensorInfo;
  typedArrayFromHeap: (tensor: tf.TensorInfo) => Float32Array | Int32Array;
  disposeData: (dataId: object) => void;
};
type KernelArgs = Parameters<tf.KernelFunc>[0];

/**
 * tfjs-backend-wasm 4.22 multiplies transposed matrices 10 to 20 times slower than plain ones, and every gradient of a
 * matrix product is such a product: here they are transposed first. It also has no UnsortedSegmentSum, the gradient of a
 * look-up.
 */
function repairWasmKernels(): void {
  if (tf.getKernel('UnsortedSegmentSum', 'wasm') != null) return;
  for (const name of ['BatchMatMul', '_FusedMatMul']) transposeFirst(name);
  tf.registerKernel({ kernelName: 'UnsortedSegmentSum', backendName: 'wasm', kernelFunc: segmentSum });
}

function transposeFirst(kernelName: string): void {
  const original = tf.getKernel(kernelName, 'wasm');
  const transpose = tf.getKernel('Transpose', 'wasm').kernelFunc;
  const kernelFunc: tf.KernelFunc = ({ inputs, backend, attrs }: KernelArgs) => {
    const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
    const temporary: tf.TensorInfo[] = [];
    const swapped = (x: tf.TensorInfo | undefined, needed: boolean): tf.TensorInfo => {
      if (x === undefined) throw new Error(`${kernelName} needs two matrices`);
      if (!needed) return x;
      const perm = x.shape.map((_, axis) => axis);
      perm.push(...perm.splice(-2).reverse());
      const made = transpose({ inputs: { x }, backend, attrs: { perm } }) as tf.TensorInfo;
      temporary.push(made);
      return made;
    };
    const output = original.kernelFunc({
      inputs: { ...inputs, a: swapped(inputs.a, transposeA), b: swapped(inputs.b, transposeB) },
      backend,
      attrs: { ...attrs, transposeA: false, transposeB: false },
    });
    for (const { dataId } of temporary) (backend as WasmBackend).disposeData(dataId);
    return output;
  };
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({ ...original, kernelFunc });
}

function segmentSum({ inputs, backend, attrs }: KernelArgs): tf.TensorInfo {
  const wasm = backend as WasmBackend;
  const { x, segmentIds } = inputs;
  if (x === undefined || segmentIds === undefined)
    throw new Error('UnsortedSegmentSum needs x and segmentIds');
  const numSegments = Number((attrs as unknown as { numSegments: number }).numSegments);
  const rowShape = x.shape.slice(1);
  const width = rowShape.reduce((product, size) => product * size, 1);
  const output = wasm.makeOutput([numSegments, ...rowShape], x.dtype);
  // Views of the heap, taken after the output was made: making it may have moved the heap.
  const sums = wasm.typedArrayFromHeap(output).fill(0);
  const rows = wasm.typedArrayFromHeap(x);
  const segments = wasm.typedArrayFromHeap(segmentIds);
  for (let r = 0; r < segments.length; r++) {
    const segment = segments[r]!;
    // As TensorFlow has it: rows of a negative segment are dropped.
    if (segment < 0 || segment >= numSegments) continue;
    for (let f = 0; f < width; f++) sums[segment * width + f]! += rows[r * width + f]!;
  }
  return output;
}
