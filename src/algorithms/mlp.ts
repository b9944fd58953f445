/** A multilayer perceptron's forward pass: what TensorFlow.js trained, as plain arithmetic for the request path. */

/** y = x·W + b; `weights` is inputs × outputs, row by row. */
export type DenseLayer = { inputs: number; outputs: number; weights: Float32Array; bias: Float32Array };

/**
 * The single output (a logit) of dense layers with ReLU between them. Throws where the layers do not fit each other,
 * the input, or do not end in one output.
 */
export function mlpLogit(layers: readonly DenseLayer[], input: Float32Array): number {
  let activations: Float32Array = input;
  for (const [l, layer] of layers.entries()) {
    if (activations.length !== layer.inputs)
      throw new Error(`layer ${l} takes ${layer.inputs} inputs, not ${activations.length}`);
    const next = dense(layer, activations);
    if (l < layers.length - 1) for (let o = 0; o < next.length; o++) if (next[o]! < 0) next[o] = 0;
    activations = next;
  }
  if (layers.length === 0 || activations.length !== 1) throw new Error('the last layer must have one output');
  return activations[0]!;
}

function dense({ inputs, outputs, weights, bias }: DenseLayer, x: Float32Array): Float32Array {
  const y = bias.slice();
  for (let i = 0; i < inputs; i++) {
    const value = x[i]!;
    if (value === 0) continue;
    const row = i * outputs;
    for (let o = 0; o < outputs; o++) y[o]! += value * weights[row + o]!;
  }
  return y;
}
