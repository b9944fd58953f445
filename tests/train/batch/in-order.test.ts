import { expect, test } from 'vitest';
import { inOrder } from '../../../src/train/batch/in-order.ts';

test('no more of a list is held than is under way, however slowly its first part goes, and answers keep their order', async () => {
  const finish = new Map<number, () => void>();
  let taken = 0;
  let underWay = 0;
  let mostUnderWay = 0;
  function* source() {
    for (let n = 0; n < 1000; n++) {
      taken++;
      yield n;
    }
  }
  const answers = inOrder(source(), 4, async (n) => {
    mostUnderWay = Math.max(mostUnderWay, ++underWay);
    await new Promise<void>((resolve) => finish.set(n, resolve));
    underWay--;
    return n;
  });
  const first = answers.next();
  while (finish.size < 4) await Promise.resolve();
  for (const n of [3, 2, 1]) finish.get(n)?.();
  await new Promise(setImmediate);
  expect(taken).toBe(4);
  finish.get(0)?.();
  expect((await first).value).toBe(0);

  let last = 0;
  const rest = (async () => {
    for await (const n of answers) {
      expect(n).toBe(last + 1);
      last = n;
      expect(taken - n).toBeLessThanOrEqual(4);
    }
  })();
  let isDone = false;
  void rest.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    for (const [n, done] of finish) {
      finish.delete(n);
      done();
    }
    await new Promise(setImmediate);
  }
  await rest;
  expect([last, mostUnderWay]).toEqual([999, 4]);
});
