import { expect, test } from 'vitest';
import { createInTurn } from '../../src/features/in-turn.ts';

const gate = () => {
  let open = () => {};
  let fail = (_: unknown) => {};
  const passed = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { passed, open, fail };
};

test('work on one thing comes one after another, in the order in which it was asked for; on others it does not wait', async () => {
  const inTurn = createInTurn(() => false);
  const first = gate();
  const told: string[] = [];
  const one = inTurn('a', async (hasWaited) => {
    await first.passed;
    told.push(`first ${hasWaited}`);
  });
  const two = inTurn('a', async (hasWaited) => void told.push(`second ${hasWaited}`));
  const three = inTurn('a', async (hasWaited) => void told.push(`third ${hasWaited}`));
  await inTurn('b', async (hasWaited) => void told.push(`other ${hasWaited}`));
  first.open();
  await Promise.all([one, two, three]);
  expect(told).toEqual(['other false', 'first false', 'second true', 'third true']);
  // Nobody is at it any more.
  expect(await inTurn('a', async (hasWaited) => hasWaited)).toBe(false);
});

test('a fault is its own, but where it is everybody’s: then who waits does not wait for it again', async () => {
  const inTurn = createInTurn((fault) => fault === 'away');
  for (const [fault, waiting] of [
    ['mine', 'done'],
    ['away', 'away'],
  ]) {
    const first = gate();
    const one = inTurn('a', () => first.passed).catch((err) => err);
    const two = inTurn('a', async () => 'done').catch((err) => err);
    first.fail(fault);
    expect([await one, await two]).toEqual([fault, waiting]);
    expect(await inTurn('a', async () => 'again')).toBe('again');
  }
});
