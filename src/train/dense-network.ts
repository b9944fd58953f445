/** A multilayer perceptron that TensorFlow.js can learn: dense layers with ReLU between them. */
import type { DenseLayer } from '../algorithms/mlp.ts';
import type { Rng } from '../algorithms/rng.ts';
import type { Tensor, Tensor2D, TensorFlow, Variable } from './tensorflow.ts';

/** `widths`: inputs, hidden units, outputs. `rngOf` draws the first weights of each layer. */
export function createNetwork(
  tf: TensorFlow,
  widths: readonly number[],
  outputBias: number,
  rngOf: (layer: number) => Rng,
) {
  const layers = widths.slice(1).map((outputs, l) => {
    const inputs = widths[l]!;
    const rng = rngOf(l);
    // He et al. 2015: keeps the variance of activations through rectified layers.
    const scale = Math.sqrt(2 / inputs);
    const weights = Float32Array.from({ length: inputs * outputs }, () => scale * rng.normal());
    // The output begins at the base rate, so that the first steps are not spent on finding it.
    const bias = new Float32Array(outputs).fill(l === widths.length - 2 ? outputBias : 0);
    // Inside a tidy, because a variable copies the tensor that it begins with; variables themselves survive it.
    return tf.tidy(() => ({
      inputs,
      outputs,
      weights: tf.variable(tf.tensor2d(weights, [inputs, outputs])),
      bias: tf.variable(tf.tensor1d(bias)),
    }));
  });
  const variables: Variable[] = layers.flatMap(({ weights, bias }) => [weights, bias]);
  return {
    variables,
    forward: (x: Tensor2D): Tensor =>
      layers.reduce<Tensor>((activation, { weights, bias }, l) => {
        const sum = tf.add(tf.matMul(activation, weights), bias);
        return l < layers.length - 1 ? tf.relu(sum) : sum;
      }, x),
    read: (): DenseLayer[] =>
      layers.map(({ inputs, outputs, weights, bias }) => ({
        inputs,
        outputs,
        weights: Float32Array.from(weights.dataSync()),
        bias: Float32Array.from(bias.dataSync()),
      })),
    dispose: () => {
      for (const variable of variables) variable.dispose();
    },
  };
}
