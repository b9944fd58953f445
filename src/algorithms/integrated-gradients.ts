/**
 * Integrated gradients (Sundararajan, Taly and Yan 2017) of a perceptron of rectified units, from the origin to a point,
 * without quadrature: on the straight way between them the network is linear from one kink to the next, where a unit
 * starts or stops to fire. The sum over the pieces of (length × gradient) is exact, and what the inputs get adds up to
 * mlp(x) − mlp(0).
 */
import type { DenseLayer } from './mlp.ts';

/** A unit whose value is that near to 0 counts as at its kink: it is taken as it will be just behind. */
const nearZero = 1e-9;
/** More kinks than any network here could have on one way; rounding cannot make it go on for ever. */
const kinksMax = 10_000;

/** Adds to `parts[j]` what input j contributes. Layers as in `mlpLogit`. */
export function integratedGradients(
  layers: readonly DenseLayer[],
  x: Float32Array,
  parts: Float64Array,
): void {
  const hidden = layers.length - 1;
  // Of every layer: its values at t, and how fast they change with t.
  const values = layers.map(({ outputs }) => new Float64Array(outputs));
  const slopes = layers.map(({ outputs }) => new Float64Array(outputs));
  const fires = layers.slice(0, hidden).map(({ outputs }) => new Uint8Array(outputs));
  const gradients = layers.map(({ inputs }) => new Float64Array(inputs));
  for (let t = 0, kinks = 0; t < 1; kinks++) {
    if (kinks > kinksMax) throw new Error('integrated gradients do not come to an end');
    let next = 1;
    for (const [l, layer] of layers.entries()) {
      const value = values[l]!;
      const slope = slopes[l]!;
      for (let o = 0; o < layer.outputs; o++) {
        value[o] = layer.bias[o]!;
        slope[o] = 0;
      }
      for (let i = 0; i < layer.inputs; i++) {
        const from = l === 0 ? t * x[i]! : fires[l - 1]![i] === 1 ? values[l - 1]![i]! : 0;
        const rise = l === 0 ? x[i]! : fires[l - 1]![i] === 1 ? slopes[l - 1]![i]! : 0;
        if (from === 0 && rise === 0) continue;
        const row = i * layer.outputs;
        for (let o = 0; o < layer.outputs; o++) {
          const weight = layer.weights[row + o]!;
          value[o]! += from * weight;
          slope[o]! += rise * weight;
        }
      }
      if (l === hidden) break;
      for (let o = 0; o < layer.outputs; o++) {
        const [v, s] = [value[o]!, slope[o]!];
        const atKink = Math.abs(v) <= nearZero * Math.max(1, Math.abs(s));
        fires[l]![o] = (atKink ? s > 0 : v > 0) ? 1 : 0;
        if (atKink || s === 0 || v > 0 === s > 0) continue;
        next = Math.min(next, t - v / s);
      }
    }
    // A step of at least rounding: a kink that lies here already has been passed.
    const length = Math.min(1, Math.max(next, t + 1e-12)) - t;
    gradients[hidden]!.set(layers[hidden]!.weights);
    for (let l = hidden - 1; l >= 0; l--) {
      const layer = layers[l]!;
      for (let i = 0; i < layer.inputs; i++) {
        let sum = 0;
        const row = i * layer.outputs;
        for (let o = 0; o < layer.outputs; o++)
          if (fires[l]![o] === 1) sum += layer.weights[row + o]! * gradients[l + 1]![o]!;
        gradients[l]![i] = sum;
      }
    }
    for (let j = 0; j < x.length; j++) parts[j]! += length * x[j]! * gradients[0]![j]!;
    t += length;
  }
}
