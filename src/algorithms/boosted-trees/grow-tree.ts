/** One regression tree on gradients: leaf-wise, over histograms of binned features. */

export type TreeOptions = {
  /** Leaves of a tree, at most. */
  leaves: number;
  /** λ: second derivatives that are added to a leaf's, which draws its value to 0. */
  l2: number;
  /** Least sum of second derivatives in a leaf. */
  minHessian: number;
};

/** Nodes of a tree, the root first. An inner node sends bins up to `bin` of its feature left, the others right; a leaf has feature −1. */
export type Tree = { feature: number[]; bin: number[]; left: number[]; right: number[]; value: number[] };

type Leaf = { node: number; from: number; to: number; sums: Float64Array; split: Split };
type Split = { gain: number; feature: number; bin: number };

/**
 * Grows a tree by the split of the highest gain G²/(H + λ) (Chen and Guestrin, KDD 2016, eq. 7), anywhere in the tree, until
 * it has all its leaves or no split gains. A leaf's value is −G/(H + λ) (eq. 5), where G and H sum the first and
 * second derivatives of its rows. Leaves `order` (row numbers, any order) arranged by leaf; `onLeaf` is told each leaf's part.
 */
export function growTree(
  columns: readonly Uint8Array[],
  bins: number,
  gradient: Float32Array,
  hessian: Float32Array,
  order: Int32Array,
  { leaves, l2, minHessian }: TreeOptions,
  onLeaf: (value: number, from: number, to: number) => void,
): Tree {
  const width = 2 * bins;
  const spare = new Int32Array(order.length);
  const tree: Tree = { feature: [], bin: [], left: [], right: [], value: [] };

  /** Sums of gradient and hessian for each feature's bins over the rows of a leaf. */
  const histogram = (from: number, to: number): Float64Array => {
    const sums = new Float64Array(columns.length * width);
    for (let f = 0; f < columns.length; f++) {
      const column = columns[f]!;
      const base = f * width;
      for (let p = from; p < to; p++) {
        const r = order[p]!;
        const at = base + 2 * column[r]!;
        sums[at]! += gradient[r]!;
        sums[at + 1]! += hessian[r]!;
      }
    }
    return sums;
  };
  const totals = (sums: Float64Array) => {
    let g = 0;
    let h = 0;
    for (let at = 0; at < width; at += 2) {
      g += sums[at]!;
      h += sums[at + 1]!;
    }
    return { g, h };
  };
  const bestSplit = (sums: Float64Array): Split => {
    const { g, h } = totals(sums);
    const split = { gain: 1e-9, feature: -1, bin: 0 };
    for (let f = 0; f < columns.length; f++) {
      let leftG = 0;
      let leftH = 0;
      for (let b = 0; b < bins - 1; b++) {
        leftG += sums[f * width + 2 * b]!;
        leftH += sums[f * width + 2 * b + 1]!;
        if (leftH < minHessian) continue;
        if (h - leftH < minHessian) break;
        const gain = leftG ** 2 / (leftH + l2) + (g - leftG) ** 2 / (h - leftH + l2) - g ** 2 / (h + l2);
        if (gain > split.gain) {
          split.gain = gain;
          split.feature = f;
          split.bin = b;
        }
      }
    }
    return split;
  };
  const addNode = (): number => {
    for (const field of [tree.bin, tree.left, tree.right, tree.value]) field.push(0);
    return tree.feature.push(-1) - 1;
  };
  const leafOf = (from: number, to: number, sums: Float64Array): Leaf => ({
    node: addNode(),
    from,
    to,
    sums,
    split: bestSplit(sums),
  });
  /** Moves the rows of a leaf that go left before those that go right, each in their order; answers where the right ones begin. */
  const partition = ({ from, to, split }: Leaf): number => {
    const column = columns[split.feature]!;
    let left = from;
    let right = 0;
    for (let p = from; p < to; p++) {
      const r = order[p]!;
      if (column[r]! <= split.bin) order[left++] = r;
      else spare[right++] = r;
    }
    order.set(spare.subarray(0, right), left);
    return left;
  };

  const grown = [leafOf(0, order.length, histogram(0, order.length))];
  while (grown.length < leaves) {
    let best = 0;
    for (let n = 1; n < grown.length; n++) if (grown[n]!.split.gain > grown[best]!.split.gain) best = n;
    const parent = grown[best]!;
    if (parent.split.feature === -1) break;
    const middle = partition(parent);
    // The larger child's sums are the parent's less the smaller one's.
    const leftIsSmaller = middle - parent.from < parent.to - middle;
    const smaller = leftIsSmaller ? histogram(parent.from, middle) : histogram(middle, parent.to);
    for (let at = 0; at < smaller.length; at++) parent.sums[at]! -= smaller[at]!;
    const left = leafOf(parent.from, middle, leftIsSmaller ? smaller : parent.sums);
    const right = leafOf(middle, parent.to, leftIsSmaller ? parent.sums : smaller);
    tree.feature[parent.node] = parent.split.feature;
    tree.bin[parent.node] = parent.split.bin;
    tree.left[parent.node] = left.node;
    tree.right[parent.node] = right.node;
    grown[best] = left;
    grown.push(right);
  }
  for (const { node, from, to, sums } of grown) {
    const { g, h } = totals(sums);
    tree.value[node] = -g / (h + l2);
    onLeaf(tree.value[node]!, from, to);
  }
  return tree;
}
