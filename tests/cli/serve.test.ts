import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { testRedis } from '../support/redis.ts';
import { callService, untilReady } from '../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
const binary = resolve(import.meta.dirname, '../../bin/nextbest');
const running = new Set<ChildProcess>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-cli-'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function serve(env: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, ['--no-warnings', binary, 'serve', ...args], {
    env: {
      PATH: process.env.PATH,
      REDIS_URL: redisUrl,
      KEY_PREFIX: prefix,
      DATA_DIR: join(folder, 'data'),
      MODELS_DIR: join(folder, 'models'),
      PORT: '0',
      AUTH: 'off',
      // Slow machines: no test here is of a bound.
      MAX_LAG_MS: '60000',
      MAX_WAIT_MS: '600000',
      REDIS_TIMEOUT_MS: '20000',
      ...env,
    },
  });
  running.add(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const exited = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: code as number | null, stderr };
  });
  return { child, exited, stderr: () => stderr, lines: createInterface({ input: child.stdout }) };
}

test('serve prints its address as one line of JSON, and on SIGTERM ends with 0 after the requests under way', async () => {
  const { child, exited, lines } = serve({}, '--json');
  const [line] = (await once(lines, 'line')) as [string];
  const { url } = JSON.parse(line);
  // Meant for several processes: one alone goes on.
  child.kill('SIGUSR2');
  expect((await callService(url, 'GET', '/livez')).status).toBe(200);

  const body = JSON.stringify({ type: 'visit', customerId: 'a' });
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  const head = `POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`;
  // `100 Continue` tells that the request has arrived; its body is sent after the signal.
  socket.write(`${head}expect: 100-continue\r\n\r\n`);
  await once(socket, 'data');
  const shutDown = new Promise<void>((resolveWhen) => {
    createInterface({ input: child.stderr }).on('line', (text) => {
      if (text.includes('"event":"shutdown"')) resolveWhen();
    });
  });
  child.kill('SIGTERM');
  await shutDown;
  socket.write(body);
  await once(socket, 'close');
  expect(answer).toMatch(/HTTP\/1\.1 202 /);
  expect(answer).toContain('"accepted":1');
  expect((await exited).code).toBe(0);
});

test('a taken port ends the command with 2 and names PORT', async () => {
  const taken = createServer();
  await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
  const { port } = taken.address() as { port: number };
  const { code, stderr } = await serve({ PORT: String(port) }).exited;
  taken.close();
  expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`Port ${port}[^]*PORT`))]);
  expect(stderr).not.toMatch(/\bat .+\.js:\d+/);
});

test('a bad environment ends the command with 2 and names every fault', async () => {
  const { code, stderr } = await serve({
    ...{ PORT: 'x', REDIS_URL: 'nowhere', CURRENCY: 'euro' },
    ...{ AUTH: 'off', HOST: '0.0.0.0' },
  }).exited;
  expect(code).toBe(2);
  for (const name of ['PORT', 'REDIS_URL', 'CURRENCY', 'AUTH']) expect(stderr).toContain(`  ${name}: `);
});

test('a wrong file of scenarios ends the command with 2 and names it', async () => {
  const { code, stderr } = await serve({ SCENARIOS_FILE: join(folder, 'none.json') }).exited;
  expect([code, stderr]).toEqual([2, expect.stringContaining('none.json')]);
});

test('a wrong decision policy ends the command with 2 and names every fault in it', async () => {
  const file = join(folder, 'policy.json');
  await writeFile(
    file,
    JSON.stringify({
      contact: {
        timeZone: 'Mars/Olympus',
        quietHours: [{ channels: ['fax'], from: '9 pm', to: '08:00' }],
        caps: [{ times: 0, days: 7 }],
        minGap: 3,
      },
      controlGroupShare: 2,
    }),
  );
  const { code, stderr } = await serve({ DECISION_POLICY_FILE: file }).exited;
  expect(code).toBe(2);
  for (const place of [
    file,
    'contact.timeZone: must be an IANA time zone',
    'contact.quietHours.0.channels.0',
    'contact.quietHours.0.from: must be a time of day',
    'contact.caps.0.times',
    'minGap',
    'controlGroupShare',
    'docs/contact-policy.md',
  ])
    expect(stderr).toContain(place);
  expect(stderr).not.toMatch(/\bat .+\.js:\d+/);
});

test('a rule of a scenario that names what the catalogue lacks is told at the start', async () => {
  const first = serve({}, '--json');
  const { url } = JSON.parse(((await once(first.lines, 'line')) as [string])[0]);
  await untilReady(url);
  expect((await callService(url, 'POST', '/items', [{ itemId: 'i1', category: 'tea' }])).status).toBe(200);
  first.child.kill('SIGTERM');
  await first.exited;

  const scenarios = join(folder, 'scenarios.json');
  await writeFile(
    scenarios,
    JSON.stringify({ home: { learned: 1, boosts: [{ categories: ['tea', 'taes'], factor: 2 }] } }),
  );
  const second = serve({ SCENARIOS_FILE: scenarios }, '--json');
  // Later than the address, where Redis is slow to answer.
  await eventually(() => expect(second.stderr()).toContain('scenario.unmatched'));
  second.child.kill('SIGTERM');
  const told = (await second.exited).stderr.split('\n').filter((line) => line.includes('scenario.unmatched'));
  expect(told.map((line) => JSON.parse(line))).toMatchObject([
    { scenario: 'home', rule: 'boosts', names: ['taes'], unmatched: 1 },
  ]);
});
