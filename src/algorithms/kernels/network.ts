/** Host side of the dense layers: a network that gives each row one number. */
import type { SharedMemory } from './shared-memory.ts';
import type { KernelContext } from './threads.ts';

/** y = x·W + b, `weights` inputs × outputs; the rows of one layer's outputs are the next one's inputs, after ReLU. */
export type NetworkLayer = {
  inputs: number;
  outputs: number;
  weights: ArrayLike<number>;
  bias: ArrayLike<number>;
};

/** Writes the network's output for the first `count` of `rows` to `out`. */
export type ScoreRows = (rows: Float32Array, count: number, out: Float32Array) => void;

/** Rows that go through all layers before the next ones: what lies between the layers stays in the cache. */
const rowsAtOnce = 128;
/** Floats of a register. */
const lanes = 4;

/**
 * A network in the shared memory for as long as that lives, with one output, on the calling thread and in single precision.
 * RangeError where the layers do not fit each other or do not end in one output.
 */
export function shareNetwork({ memory, local }: KernelContext, layers: readonly NetworkLayer[]): ScoreRows {
  const shared = layers.map((layer, l) => shareLayer(memory, layers[l - 1], layer, l < layers.length - 1));
  const last = shared.at(-1);
  if (last === undefined || layers.at(-1)?.outputs !== 1)
    throw new RangeError('a network that scores rows ends in one output');
  const width = layers[0]?.inputs ?? 0;
  const input = memory.float32(rowsAtOnce * width);
  return (rows, count, out) => {
    if (rows.length < count * width)
      throw new RangeError(`${rows.length} values for ${count} rows of ${width}`);
    for (let first = 0; first < count; first += rowsAtOnce) {
      const some = Math.min(rowsAtOnce, count - first);
      input.set(rows.subarray(first * width, (first + some) * width));
      let x = memory.pointerTo(input);
      for (const { inputs, weights, bias, outputs, out: to, rectify } of shared) {
        local.denseRows(x, some, inputs, weights, bias, outputs, to, rectify);
        x = to;
      }
      for (let r = 0; r < some; r++) out[first + r] = last.values[r * last.outputs]!;
    }
  };
}

/** Pointers; `inputs` and `outputs` with the padding, whose weights are 0. */
type SharedLayer = {
  inputs: number;
  outputs: number;
  weights: number;
  bias: number;
  out: number;
  values: Float32Array;
  rectify: 0 | 1;
};

function shareLayer(
  memory: SharedMemory,
  before: NetworkLayer | undefined,
  { inputs, outputs, weights, bias }: NetworkLayer,
  isHidden: boolean,
): SharedLayer {
  if (before !== undefined && before.outputs !== inputs)
    throw new RangeError(`a layer takes ${inputs} inputs of one that has ${before.outputs} outputs`);
  if (weights.length !== inputs * outputs || bias.length !== outputs)
    throw new RangeError(
      `a layer of ${inputs} × ${outputs} with ${weights.length} weights, ${bias.length} biases`,
    );
  const taken = before === undefined ? inputs : padded(inputs);
  const given = padded(outputs);
  const sharedWeights = memory.float32(taken * given);
  for (let i = 0; i < inputs; i++)
    for (let o = 0; o < outputs; o++) sharedWeights[i * given + o] = weights[i * outputs + o]!;
  const sharedBias = memory.float32(given);
  sharedBias.set(bias);
  const values = memory.float32(rowsAtOnce * given);
  return {
    inputs: taken,
    outputs: given,
    weights: memory.pointerTo(sharedWeights),
    bias: memory.pointerTo(sharedBias),
    out: memory.pointerTo(values),
    values,
    rectify: isHidden ? 1 : 0,
  };
}

function padded(count: number): number {
  return Math.ceil(count / lanes) * lanes;
}
