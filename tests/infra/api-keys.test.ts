import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UsageError } from '../../src/domain/errors.ts';
import { dayMs, hourMs } from '../../src/domain/time.ts';
import { createApiKey, readApiKeys, revokeApiKey, rotateApiKey } from '../../src/infra/api-keys.ts';

const now = Date.UTC(2026, 10, 26);
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nextbest-keys-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const website = { name: 'website', scopes: ['read', 'events'] as const, expiresAt: null };

test('a key is nb_, its id and 32 random bytes; only its hash is kept, for its owner to read alone', async () => {
  const { key, text } = await createApiKey(dataDir, website, now);
  expect(text).toMatch(new RegExp(`^nb_${key.keyId}_[\\w-]{43}$`));
  const secret = text.slice(-43);
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  const folder = join(dataDir, 'api-keys');
  const files = await readdir(folder);
  expect(files).toEqual([`${key.keyId}.json`]);
  const file = join(folder, files[0] ?? '');
  const kept = await readFile(file, 'utf8');
  expect(kept).not.toContain(secret);
  expect(JSON.parse(kept).sha256).toBe(createHash('sha256').update(text).digest('hex'));
  expect((await stat(file)).mode & 0o077).toBe(0);
  expect((await stat(folder)).mode & 0o077).toBe(0);
});

test('no two keys are alike', async () => {
  const made = await Promise.all(Array.from({ length: 50 }, () => createApiKey(dataDir, website, now)));
  expect(new Set(made.map(({ text }) => text)).size).toBe(50);
  expect(await readApiKeys(dataDir)).toHaveLength(50);
});

test('what is revoked stays so, whatever runs at the same time', async () => {
  const { key } = await createApiKey(dataDir, website, now);
  await Promise.all([
    revokeApiKey(dataDir, key.keyId, now),
    rotateApiKey(dataDir, key.keyId, dayMs, now).catch(() => {}),
    revokeApiKey(dataDir, key.keyId, now),
  ]);
  const held = await readApiKeys(dataDir);
  expect(held.find(({ keyId }) => keyId === key.keyId)?.revoked).toBe(true);
});

test('a rotated key ends after the overlap, or when it would have ended by itself', async () => {
  const lasting = await createApiKey(dataDir, website, now);
  const ending = await createApiKey(dataDir, { ...website, expiresAt: now + hourMs }, now);
  const ends = async (keyId: string) =>
    (await readApiKeys(dataDir)).find((held) => held.keyId === keyId)?.endsAt;

  const next = await rotateApiKey(dataDir, lasting.key.keyId, 7 * dayMs, now + 10);
  expect(next.key).toMatchObject({ name: 'website', scopes: ['read', 'events'], expiresAt: null });
  expect(await ends(lasting.key.keyId)).toBe(now + 10 + 7 * dayMs);
  expect(await ends(next.key.keyId)).toBe(Infinity);
  // Rotated again, a longer overlap gives it no more time.
  await rotateApiKey(dataDir, lasting.key.keyId, 9 * dayMs, now + 20);
  expect(await ends(lasting.key.keyId)).toBe(now + 10 + 7 * dayMs);

  const short = await rotateApiKey(dataDir, ending.key.keyId, 7 * dayMs, now + 60_000);
  expect(await ends(ending.key.keyId)).toBe(now + hourMs);
  // As long a life as the first had.
  expect(await ends(short.key.keyId)).toBe(now + 60_000 + hourMs);
});

test('what has ended cannot be rotated, and an unknown id is named', async () => {
  const { key } = await createApiKey(dataDir, website, now);
  await revokeApiKey(dataDir, key.keyId, now);
  await expect(rotateApiKey(dataDir, key.keyId, 0, now)).rejects.toThrow(UsageError);
  await expect(revokeApiKey(dataDir, 'abcabcabcabc', now)).rejects.toThrow(/no key abcabcabcabc/);
});

test('files that are no key are left out and told of', async () => {
  const { key } = await createApiKey(dataDir, website, now);
  const folder = join(dataDir, 'api-keys');
  await writeFile(join(folder, '000000000000.json'), '{"keyId":');
  // A copy under another name would be a second key of the same secret, which revoking the first leaves good.
  await writeFile(join(folder, '111111111111.json'), JSON.stringify(key));
  await writeFile(join(folder, 'notes.txt'), 'x');
  const unreadable: string[] = [];
  const held = await readApiKeys(dataDir, (file) => unreadable.push(file));
  expect(held.map(({ keyId }) => keyId)).toEqual([key.keyId]);
  expect(unreadable).toEqual(['000000000000.json', '111111111111.json']);
});
