/** The plain typed-array version of the item–item products. */
import { type CsrMatrix, transpose } from '../../csr.ts';

/** Rows of XᵀX, one at a time: `onRow(i, products)` with products[j] = Σᵤ xᵤᵢ xᵤⱼ, good only during the call. */
export function itemProductRows(
  userItems: CsrMatrix,
  onRow: (item: number, products: Float64Array) => void,
): void {
  const itemUsers = transpose(userItems);
  const { indptr, indices, data } = userItems;
  const products = new Float64Array(userItems.cols);
  for (let i = 0; i < userItems.cols; i++) {
    products.fill(0);
    for (let p = itemUsers.indptr[i]!; p < itemUsers.indptr[i + 1]!; p++) {
      const u = itemUsers.indices[p]!;
      const value = itemUsers.data[p]!;
      for (let q = indptr[u]!; q < indptr[u + 1]!; q++) products[indices[q]!]! += value * data[q]!;
    }
    onRow(i, products);
  }
}
