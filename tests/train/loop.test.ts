import { expect, test } from 'vitest';
import { startLoop } from '../../src/train/loop.ts';
import { eventually } from '../support/eventually.ts';

test('rounds follow each other, never two at once, and stop waits for the one under way', async () => {
  let underWay = 0;
  let rounds = 0;
  let finish = () => {};
  const loop = startLoop(async () => {
    expect(++underWay).toBe(1);
    rounds++;
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    underWay--;
    return false;
  }, 1);
  finish();
  await eventually(() => expect(rounds).toBe(2));
  const stopped = loop.stop();
  expect(underWay).toBe(1);
  finish();
  await stopped;
  expect(underWay).toBe(0);
  expect(rounds).toBe(2);
});

test('where there is more to do the next round comes without a pause; stop ends a pause', async () => {
  let rounds = 0;
  const hourMs = 3_600_000;
  const loop = startLoop(async () => ++rounds < 5, hourMs);
  await eventually(() => expect(rounds).toBe(5));
  await loop.stop();
  expect(rounds).toBe(5);
});
