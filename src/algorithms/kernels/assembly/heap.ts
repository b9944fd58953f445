/** The best of many in two arrays (rows, and their scores) that are a binary heap with the worst of the kept on top. */

/** Puts an element into the heap, whose worst is on top; into the place of that when the heap is full. */
export function keep(indices: usize, scores: usize, size: i32, capacity: i32, row: i32, score: f32): i32 {
  if (size == capacity) {
    sink(indices, scores, size, row, score);
    return size;
  }
  let at = size;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isWorse(score, row, scoreAt(scores, parent), rowAt(indices, parent))) break;
    put(indices, scores, at, rowAt(indices, parent), scoreAt(scores, parent));
    at = parent;
  }
  put(indices, scores, at, row, score);
  return size + 1;
}

/** Replaces the top by an element, which sinks to its place. */
function sink(indices: usize, scores: usize, size: i32, row: i32, score: f32): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (
      child + 1 < size &&
      isWorse(
        scoreAt(scores, child + 1),
        rowAt(indices, child + 1),
        scoreAt(scores, child),
        rowAt(indices, child),
      )
    )
      child++;
    if (!isWorse(scoreAt(scores, child), rowAt(indices, child), score, row)) break;
    put(indices, scores, at, rowAt(indices, child), scoreAt(scores, child));
    at = child;
  }
  put(indices, scores, at, row, score);
}

/** Heap sort: the worst goes to the end, so that the best comes first. */
export function sortHeap(indices: usize, scores: usize, size: i32): void {
  for (let last = size - 1; last > 0; last--) {
    const row = rowAt(indices, last);
    const score = scoreAt(scores, last);
    put(indices, scores, last, rowAt(indices, 0), scoreAt(scores, 0));
    sink(indices, scores, last, row, score);
  }
}

/** Whether the first ranks below the second. */
export function isWorse(score: f32, row: i32, otherScore: f32, otherRow: i32): bool {
  return score < otherScore || (score == otherScore && row > otherRow);
}

export function rowAt(indices: usize, at: i32): i32 {
  return load<i32>(indices + ((<usize>at) << 2));
}

export function scoreAt(scores: usize, at: i32): f32 {
  return load<f32>(scores + ((<usize>at) << 2));
}

export function put(indices: usize, scores: usize, at: i32, row: i32, score: f32): void {
  store<i32>(indices + ((<usize>at) << 2), row);
  store<f32>(scores + ((<usize>at) << 2), score);
}
