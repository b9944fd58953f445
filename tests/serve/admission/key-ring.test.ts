import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../../../src/domain/errors.ts';
import { createApiKey, revokeApiKey, rotateApiKey } from '../../../src/infra/api-keys.ts';
import { openKeyRing } from '../../../src/serve/admission/key-ring.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLog } from '../../support/redis.ts';

test('keys that cannot be read at the start are told of with the cure, not with a stack', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-keys-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  await createApiKey(dataDir, { name: 'shop', scopes: ['read'], expiresAt: null }, Date.now());
  // Who runs the tests may read everything: what nobody can read as a file stands for what another user may not.
  const unreadable = join(dataDir, 'api-keys', '0123456789ab.json');
  await mkdir(unreadable);
  const refused = openKeyRing(dataDir, silentLog);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(/cannot be read: .*chown/);
  await rm(unreadable, { recursive: true });
  const ring = await openKeyRing(dataDir, silentLog);
  onTestFinished(() => ring.stop());
  expect(ring.count(Date.now())).toBe(1);
});

async function shopFolder(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-keys-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  return dataDir;
}

test('a key ends in the millisecond at which it expires, in a process that has it in memory and looks at no folder', async () => {
  const dataDir = await shopFolder();
  const now = 1_800_000_000_000;
  const week = { name: 'week', scopes: ['read'] as const, expiresAt: now + 7 * 86_400_000 };
  const { key, text } = await createApiKey(dataDir, week, now);
  const successor = await rotateApiKey(dataDir, key.keyId, 3_600_000, now);
  const ring = await openKeyRing(dataDir, silentLog, 3_600_000);
  onTestFinished(() => ring.stop());
  // The overlap of an hour ends the first before its week is over; the second has a week of its own.
  expect(ring.find(text, now + 3_600_000 - 1)?.keyId).toBe(key.keyId);
  expect(ring.find(text, now + 3_600_000)).toBeUndefined();
  expect(ring.find(successor.text, week.expiresAt - 1)).toBeDefined();
  expect(ring.find(successor.text, week.expiresAt)).toBeUndefined();
  expect(ring.count(week.expiresAt)).toBe(0);
});

test('a revoked key is refused from the next look at the folder on, and others stay', async () => {
  const dataDir = await shopFolder();
  const make = (name: string) =>
    createApiKey(dataDir, { name, scopes: ['read'], expiresAt: null }, Date.now());
  const [gone, stays] = [await make('gone'), await make('stays')];
  const ring = await openKeyRing(dataDir, silentLog, 5);
  onTestFinished(() => ring.stop());
  expect(ring.find(gone.text, Date.now())).toBeDefined();
  await revokeApiKey(dataDir, gone.key.keyId, Date.now());
  await eventually(() => expect(ring.find(gone.text, Date.now())).toBeUndefined());
  expect(ring.find(stays.text, Date.now())?.keyId).toBe(stays.key.keyId);
});
