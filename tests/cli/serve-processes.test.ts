import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { sandbox } from '../support/nextbest.ts';

const shop = await sandbox();

/** Processes of the service that this one has started. */
function childrenOf(pid: number | undefined): number[] {
  const listed = execFileSync('ps', ['-eo', 'pid=,ppid=,args=']).toString();
  return [...listed.matchAll(/^ *(\d+) +(\d+) .* serve --json$/gm)]
    .filter(([, , parent]) => Number(parent) === pid)
    .map(([, child]) => Number(child));
}

/** Each on a connection of its own, so that they are handed round. */
async function ask(url: unknown): Promise<number> {
  const response = await fetch(`${url}/livez`, { headers: { connection: 'close' } });
  await response.arrayBuffer();
  return response.status;
}

async function counted(url: unknown): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text();
  return Number(/duration_seconds_count\{route="\/livez".*\} (\d+)/.exec(text)?.[1]);
}

test('processes share an address and their counts, one that is killed comes back, and replacing them loses no request', async () => {
  const service = shop.start(['serve', '--processes', '2'], { METRICS_PORT: '0', LOG_LEVEL: 'info' });
  const { url, metricsUrl } = await service.line('url');
  const processes = () => childrenOf(service.process.pid);
  const first = processes();
  expect(first).toHaveLength(2);

  for (let n = 0; n < 20; n++) expect(await ask(url)).toBe(200);
  // Whichever of them answers, and the port of Prometheus's own.
  for (let n = 0; n < 4; n++) expect(await counted(url)).toBe(20);
  const text = await (await fetch(String(metricsUrl))).text();
  expect(text).toMatch(/route="\/livez".*\} 20\n/);
  expect(text).toContain('nextbest_serve_catalogue_items 0\n');

  process.kill(Number(first[0]), 'SIGKILL');
  await eventually(() => {
    expect(processes()).toHaveLength(2);
    expect(processes()).not.toContain(first[0]);
    expect(service.stderr()).toContain('process.crashed');
  });
  // What the killed one had counted is not forgotten.
  expect(await counted(url)).toBe(20);

  let asked = 0;
  let isOver = false;
  const statuses = new Set<number>();
  const load = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!isOver) {
        statuses.add(await ask(url));
        asked++;
        await sleep(20);
      }
    }),
  );
  const before = processes();
  service.process.kill('SIGUSR2');
  await eventually(() => expect(service.stderr().match(/process\.replaced/g)).toHaveLength(2));
  isOver = true;
  await load;
  expect([...statuses]).toEqual([200]);
  expect(processes().filter((pid) => before.includes(pid))).toEqual([]);
  expect(asked).toBeGreaterThan(0);
  expect(await counted(url)).toBe(20 + asked);

  const last = processes();
  expect(await service.stop()).toBe(0);
  for (const pid of last) expect(() => process.kill(pid, 0)).toThrow();
}, 300_000);

test('an address that is taken ends all of them, with the exit code of a wrong setting', async () => {
  const occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const address = occupant.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { exitCode, stderr } = await shop.run(['serve', '--processes', '2'], { PORT: String(port) });
  occupant.close();
  expect(exitCode).toBe(2);
  expect(stderr).toContain('PORT');
});

test('a number of processes that is none is refused', async () => {
  for (const count of ['0', 'two']) {
    const { exitCode, stderr } = await shop.run(['serve', '--processes', count]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('from 1 to 256');
  }
});
