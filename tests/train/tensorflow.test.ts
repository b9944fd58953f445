/** The plain JavaScript engine computes slowly and simply: here it is the oracle for what is repaired and added. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createRng } from '../../src/algorithms/rng.ts';
import { loadTensorFlow, sigmoidCrossEntropy } from '../../src/train/tensorflow.ts';
import { silentLog } from '../support/redis.ts';

beforeAll(async () => {
  await loadTensorFlow(silentLog);
});

const rng = createRng('tensorflow-test');
function normals(...shape: number[]): { shape: number[]; values: Float32Array } {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, values: Float32Array.from({ length: size }, () => rng.normal()) };
}

/** Value and gradients of Σ f(…)·weights, on one engine. */
async function onBackend(
  backend: string,
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  given: { shape: number[]; values: Float32Array }[],
): Promise<number[][]> {
  await tf.setBackend(backend);
  expect(tf.getBackend()).toBe(backend);
  return tf.tidy(() => {
    const inputs = given.map(({ values, shape }) => tf.tensor(values, shape));
    const output = f(...inputs);
    // Weights that differ, so that a transposed or shifted gradient cannot pass.
    const weights = tf.tensor(
      Float32Array.from({ length: output.size }, (_, i) => 1 + Math.sin(i)),
      output.shape,
    );
    const gradients = tf.grads(f)(inputs, weights);
    return [output, ...gradients].map((tensor) => [...tensor.dataSync()]);
  });
}

async function expectSame(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  given: { shape: number[]; values: Float32Array }[],
): Promise<void> {
  const [cpu, wasm] = [await onBackend('cpu', f, given), await onBackend('wasm', f, given)];
  expect(wasm.map((values) => values.length)).toEqual(cpu.map((values) => values.length));
  for (const [i, values] of cpu.entries())
    for (const [j, value] of values.entries()) expect(wasm[i]![j]).toBeCloseTo(value, 4);
}

test('an engine that is fast is chosen, never the plain one', async () => {
  const { tf: chosen, backend } = await loadTensorFlow(silentLog);
  expect(['tfjs-node', 'tfjs-wasm']).toContain(backend);
  expect(chosen).toBe(tf);
});

describe('values and gradients are those of the plain engine', () => {
  test.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('matMul, transposeA %s, transposeB %s', async (transposeA, transposeB) => {
    const a = transposeA ? normals(5, 7) : normals(7, 5);
    const b = transposeB ? normals(3, 5) : normals(5, 3);
    await expectSame((x, y) => tf.matMul(x!, y!, transposeA, transposeB), [a, b]);
  });

  test('matMul of a batch with one matrix for all', async () => {
    await onBackendsForward((x, y) => tf.matMul(x!, y!, true, true), [normals(4, 5, 7), normals(1, 3, 5)]);
  });

  test.each([
    [false, true],
    [true, false],
  ])('fused matMul with bias and relu, transposeA %s, transposeB %s', async (transposeA, transposeB) => {
    const a = transposeA ? normals(5, 7) : normals(7, 5);
    const b = transposeB ? normals(3, 5) : normals(5, 3);
    await onBackendsForward(
      (x, y, bias) =>
        tf.fused.matMul({
          a: x as tf.Tensor2D,
          b: y as tf.Tensor2D,
          bias: bias!,
          transposeA,
          transposeB,
          activation: 'relu',
        }),
      [a, b, normals(3)],
    );
  });

  test('add, with the smaller one spread over rows', () =>
    expectSame((x, y) => tf.add(x!, y!), [normals(6, 4), normals(4)]));
  test('sub, with the smaller one spread over columns', () =>
    expectSame((x, y) => tf.sub(x!, y!), [normals(6, 1), normals(6, 4)]));
  test('relu', () => expectSame((x) => tf.relu(x!), [normals(6, 4)]));

  test('gather, with a row looked up twice and one never', () =>
    expectSame((table) => tf.gather(table!, tf.tensor1d([3, 0, 3, 1], 'int32')), [normals(5, 4)]));
  test('gather by a matrix of indices', () =>
    expectSame(
      (table) =>
        tf.gather(
          table!,
          tf.tensor2d(
            [
              [3, 0],
              [3, 1],
            ],
            [2, 2],
            'int32',
          ),
        ),
      [normals(5, 4)],
    ));

  test('segments: rows outside are dropped', async () => {
    await onBackendsForward(
      (x) => tf.unsortedSegmentSum(x!, tf.tensor1d([1, -1, 1, 0], 'int32'), 3),
      [normals(4, 2)],
    );
    await tf.setBackend('wasm');
    const sums = tf.unsortedSegmentSum(
      tf.tensor2d([1, 2, 3, 4], [4, 1]),
      tf.tensor1d([1, -1, 1, 0], 'int32'),
      3,
    );
    expect([...sums.dataSync()]).toEqual([4, 1 + 3, 0]);
  });

  test('sigmoidCrossEntropy, far out as well', async () => {
    const labels = Float32Array.of(0, 1, 0, 1);
    await expectSame(
      (z) => sigmoidCrossEntropy(tf.tensor2d(labels, [4, 1]), z!),
      [{ shape: [4, 1], values: Float32Array.of(0.3, -1.2, 80, -90) }],
    );
  });
});

async function onBackendsForward(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  given: { shape: number[]; values: Float32Array }[],
): Promise<void> {
  const results: number[][] = [];
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    results.push(
      tf.tidy(() => [...f(...given.map(({ values, shape }) => tf.tensor(values, shape))).dataSync()]),
    );
  }
  const [cpu, wasm] = results;
  expect(wasm).toHaveLength(cpu!.length);
  for (const [i, value] of cpu!.entries()) expect(wasm![i]).toBeCloseTo(value, 4);
}

test('sigmoidCrossEntropy is −ln of the probability of what happened', async () => {
  await tf.setBackend('wasm');
  const loss = sigmoidCrossEntropy(tf.tensor2d([1, 0], [2, 1]), tf.tensor2d([2, -1], [2, 1])).dataSync()[0];
  const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
  expect(loss).toBeCloseTo(-(Math.log(sigmoid(2)) + Math.log(1 - sigmoid(-1))) / 2, 6);
});

test('training steps leave no tensors behind', async () => {
  await tf.setBackend('wasm');
  const w = tf.variable(tf.ones([4, 1]));
  const x = tf.ones([8, 4]);
  const y = tf.zeros([8, 1]);
  const optimizer = tf.train.adam(0.01);
  const step = () => optimizer.minimize(() => sigmoidCrossEntropy(y, tf.matMul(x, w)), false);
  step();
  const before = tf.memory().numTensors;
  for (let i = 0; i < 5; i++) step();
  expect(tf.memory().numTensors).toBe(before);
});
