import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { holdP99 } from '../../../src/cli/bench/commands/flags.ts';
import {
  benchOverload,
  holdNoErrors,
  type OverloadBenchLine,
  untilAnswered,
} from '../../../src/cli/bench/overload.ts';
import { sandbox } from '../../support/nextbest.ts';

const { run } = await sandbox();

test('what is asked for is accepted or refused, with nothing lost between, and the service answers again', async () => {
  const lines: OverloadBenchLine[] = [];
  await benchOverload(
    { seconds: 2, connections: 1000 },
    (line) => lines.push(line),
    () => {},
  );
  expect(lines.map(({ load }) => load)).toEqual([1, 2]);
  for (const line of lines) {
    expect(line.errors).toBe(0);
    expect(line.acceptedPerSecond).toBeGreaterThan(0);
    expect(line.acceptedPerSecond).toBeCloseTo(line.offeredPerSecond * (1 - line.refusedShare), 6);
    expect(line.acceptedP99Ms).toBeGreaterThanOrEqual(line.acceptedP50Ms);
    expect(line.recoveredMs).toBeGreaterThan(0);
  }
  // Callers that wait for their answers are never too many.
  expect(lines[0]?.refusedShare).toBe(0);
  expect(lines[1]?.refusedShare).toBeGreaterThan(0);
});

test('a p99 above --p99-max ends the command with 1, and says what came', async () => {
  // Of a thousand connections that ask for twice what is answered, none in a hundred is answered within a millisecond.
  const { exitCode, stderr } = await run(['bench', 'overload', '--seconds', '1', '--p99-max', '1']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/the p99 of accepted requests is [\d.]+ ms, above the 1 ms of --p99-max/);
  expect(() => holdP99('it', 1, 1)).not.toThrow();
  expect(() => holdP99('it', 2, undefined)).not.toThrow();
});

test('requests that were neither accepted nor refused fail the command, and it says under which load', () => {
  expect(() =>
    holdNoErrors([
      { load: 1, errors: 0 },
      { load: 2, errors: 0 },
    ]),
  ).not.toThrow();
  expect(() =>
    holdNoErrors([
      { load: 1, errors: 2 },
      { load: 2, errors: 7 },
    ]),
  ).toThrow('2 requests at 1 × the sustainable load and 7 requests at 2 ×');
});

test.each([
  // Long enough for one answer of a busy machine.
  ['that refuses everything', 503, 3000, 'the last answer was 503'],
  ['that never answers', undefined, 200, 'no answer came'],
])('a service %s is not waited for without end', async (_, status, maxMs, said) => {
  const server = createServer((_req, res) => {
    if (status !== undefined) res.writeHead(status).end('{}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(untilAnswered(`http://127.0.0.1:${port}`, maxMs)).rejects.toThrow(said);
});
