import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/infra/free-port.ts';

/** Without having been answered; where somebody is there already it is as good. */
async function occupied(): Promise<number> {
  const port = 20_000 + Math.floor(10_000 * Math.random());
  const occupant = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void occupant.close());
  await once(occupant, 'listening').catch(() => {});
  return port;
}

/** What the draw must be for the port: the middle of its share of [0, 1). */
const drawOf = (port: number) => (port - 20_000 + 0.5) / 10_000;

test('of ports that no outgoing connection takes, never the same twice', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(30_000);
  }
});

test('one that somebody listens on is passed over, and so is one that was answered', async () => {
  const taken = await occupied();
  const first = await freePort();
  const draws = [drawOf(taken), drawOf(first)];
  const port = await freePort(() => draws.shift() ?? Math.random());
  expect(draws).toEqual([]);
  expect([taken, first]).not.toContain(port);
});

test('where none can be had, it says why', async () => {
  const taken = await occupied();
  await expect(freePort(() => drawOf(taken))).rejects.toThrow('ports from 20000 to 29999');
});
