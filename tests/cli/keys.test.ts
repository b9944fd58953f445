import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sandbox } from '../support/nextbest.ts';
import { untilReady } from '../support/service.ts';

const shop = await sandbox();

async function run(...args: string[]): Promise<Record<string, unknown>[]> {
  const { exitCode, stdout, stderr } = await shop.run(['keys', ...args, '--json']);
  expect(exitCode, stderr).toBe(0);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test('keys are made, listed, rotated and revoked, and shown once', async () => {
  const before = Date.now();
  const [made] = await run('create', '--name', 'web shop', '--scopes', 'events,read', '--expires', '90d');
  expect(made).toMatchObject({ name: 'web shop', scopes: ['read', 'events'] });
  const expiresAt = Date.parse(String(made?.expiresAt));
  expect(expiresAt).toBeGreaterThanOrEqual(before + 90 * 86_400_000);
  expect(expiresAt).toBeLessThanOrEqual(Date.now() + 90 * 86_400_000);
  const keyId = String(made?.keyId);

  const [rotated] = await run('rotate', keyId, '--overlap', '7d');
  expect(rotated).toMatchObject({ name: 'web shop', replaced: keyId });
  // Who pastes the key for its id is understood.
  await run('revoke', String(rotated?.key));
  expect(await run('list')).toMatchObject([
    { keyId, state: 'active', endsAt: rotated?.replacedUntil },
    { keyId: rotated?.keyId, state: 'revoked' },
  ]);

  const folder = join(shop.dataDir, 'api-keys');
  for (const file of await readdir(folder)) {
    const text = await readFile(join(folder, file), 'utf8');
    for (const shown of [made, rotated]) expect(text).not.toContain(String(shown?.key).slice(16));
  }
});

test('for people: a line for each key, on stdout, which can be piped', async () => {
  const { stdout: key } = await shop.run(['keys', 'create', '--name', 'till', '--scopes', 'events']);
  const { exitCode, stdout, stderr } = await shop.run(['keys', 'list']);
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout.split('\n')).toContain(`${key.slice(3, 15)}  active   till: events`);
});

test('for a script, the key alone is on stdout', async () => {
  const { stdout, stderr } = await shop.run(['keys', 'create', '--name', 'x', '--scopes', 'all']);
  expect(stdout).toMatch(/^nb_[0-9a-f]{12}_[\w-]{43}\n$/);
  expect(stderr).toContain('read, events, decide, manage, admin');
  expect(stderr).not.toContain(stdout.trim());
});

test.each([
  ['an unknown scope', ['create', '--name', 'x', '--scopes', 'read,everything'], 'everything'],
  ['no scope', ['create', '--name', 'x'], '--scopes'],
  ['a name that is none', ['create', '--name', 'a@b', '--scopes', 'read'], '--name'],
  ['a time that is none', ['create', '--name', 'x', '--scopes', 'read', '--expires', 'soon'], '90d'],
  ['an unknown id', ['revoke', 'abcabcabcabc'], 'keys list'],
  ['what is no id', ['rotate', 'website'], 'twelve characters'],
])('%s ends the command with 2 and the cure', async (_name, args, cure) => {
  const { exitCode, stderr } = await shop.run(['keys', ...args]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(cure)]);
});

test('without a key the service does not start, and says how to make one', async () => {
  const empty = await shop.run(['serve'], { AUTH: '', DATA_DIR: join(shop.dataDir, 'none') });
  expect([empty.exitCode, empty.stderr]).toEqual([2, expect.stringContaining('nextbest keys create')]);
});

test('a service with keys lets them in, writes none of them into its log, and has a port for metrics without', async () => {
  const [made] = await run('create', '--name', 'website', '--scopes', 'read');
  const key = String(made?.key);
  const running = shop.start(['serve'], { AUTH: '', METRICS_PORT: '0', LOG_LEVEL: 'trace' });
  const { url, metricsUrl } = await running.line('url');
  await untilReady(String(url));
  const status = async (address: string, headers: Record<string, string> = {}) =>
    (await fetch(address, { headers })).status;
  expect(await status(`${url}/recommendations`, { 'x-api-key': key })).toBe(200);
  expect(await status(`${url}/offers`, { authorization: `Bearer ${key}` })).toBe(200);
  const wrong = `${key.slice(0, -8)}AAAAAAAA`;
  expect(await status(`${url}/recommendations`, { 'x-api-key': wrong })).toBe(401);
  expect(await status(`${url}/metrics`)).toBe(401);
  const metrics = await (await fetch(String(metricsUrl))).text();
  expect(metrics).toContain('nextbest_serve_refused_callers_total{reason="unauthenticated"} 2');
  expect(await running.stop()).toBe(0);
  // The id tells whose request it was; the secret behind it is nowhere.
  expect(running.stderr()).toContain(`"keyId":"${made?.keyId}"`);
  expect(running.stderr() + metrics).not.toContain(key.slice(16, -8));
});
