/**
 * The API keys in `DATA_DIR/api-keys`, where every process finds them, with Redis or without. What has been written is
 * never written again: a key is `ID.json`; `ID.revoked` beside it ends it, `ID.ends-MS` ends it at that instant. So
 * commands that run at once cannot undo one another, and the names in the folder tell everything that can change.
 *
 * Only a hash of a key is kept. A plain SHA-256 does: a slow hash protects what people choose and others can guess; of
 * 32 random bytes there is nothing to guess, and each request would pay for it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiKey, keyText, type Scope } from '../domain/api-key.ts';
import { UsageError } from '../domain/errors.ts';
import { ensureFolder, writeAtomically } from './files.ts';

/** A key as it stands. `endsAt`: milliseconds since 1970 from which on it is good for nothing; Infinity = never. */
export type HeldKey = ApiKey & { revoked: boolean; endsAt: number };

const secretBytes = 32;
const idBytes = 6;
const ownerOnly = { folder: 0o700, file: 0o600 };

const folderOf = (dataDir: string) => join(dataDir, 'api-keys');
const FILE_NAME = /^([0-9a-f]{12})\.(?:json|revoked|ends-(\d{1,16}))$/;

export type NewKey = { name: string; scopes: readonly Scope[]; expiresAt: number | null };

/** The text is told this once. Times in milliseconds since 1970. */
export async function createApiKey(
  dataDir: string,
  { name, scopes, expiresAt }: NewKey,
  now: number,
): Promise<{ key: ApiKey; text: string }> {
  const keyId = randomBytes(idBytes).toString('hex');
  const text = keyText(keyId, randomBytes(secretBytes));
  const key: ApiKey = {
    keyId,
    name,
    scopes: [...scopes],
    sha256: createHash('sha256').update(text).digest('hex'),
    createdAt: new Date(now).toISOString(),
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
  await ensureFolder(folderOf(dataDir), 'DATA_DIR', ownerOnly.folder);
  await writeOnce(join(folderOf(dataDir), `${keyId}.json`), `${JSON.stringify(key)}\n`);
  return { key, text };
}

/** Ends a key for good. Throws UsageError where there is none of this id. */
export async function revokeApiKey(dataDir: string, keyId: string, now: number): Promise<HeldKey> {
  const key = await knownKey(dataDir, keyId);
  if (!key.revoked)
    await writeOnce(join(folderOf(dataDir), `${keyId}.revoked`), `${new Date(now).toISOString()}\n`);
  return key;
}

/**
 * A new key of the same name, scopes and length of life in the place of this one, which stays good for `overlapMs`, so
 * that programs can be given the new one meanwhile.
 */
export async function rotateApiKey(
  dataDir: string,
  keyId: string,
  overlapMs: number,
  now: number,
): Promise<{ key: ApiKey; text: string; replacedEndsAt: number }> {
  const old = await knownKey(dataDir, keyId);
  if (old.revoked || old.endsAt <= now)
    throw new UsageError(`The key ${keyId} has ended already: \`nextbest keys create\` makes a new one.`);
  const { name, scopes, createdAt, expiresAt } = old;
  const lifeMs = expiresAt === null ? null : Date.parse(expiresAt) - Date.parse(createdAt);
  const made = await createApiKey(
    dataDir,
    { name, scopes, expiresAt: lifeMs === null ? null : now + lifeMs },
    now,
  );
  const replacedEndsAt = Math.min(old.endsAt, now + overlapMs);
  await writeOnce(join(folderOf(dataDir), `${keyId}.ends-${replacedEndsAt}`), '');
  return { ...made, replacedEndsAt };
}

/** Every key that was ever made, oldest first. `onUnreadable` hears of files that are no key. */
export async function readApiKeys(
  dataDir: string,
  onUnreadable: (file: string) => void = () => {},
): Promise<HeldKey[]> {
  const names = await apiKeyFiles(dataDir);
  const revoked = new Set<string>();
  const ends = new Map<string, number>();
  for (const name of names) {
    const [, keyId = '', endsAt] = FILE_NAME.exec(name) ?? [];
    if (name.endsWith('.revoked')) revoked.add(keyId);
    else if (endsAt !== undefined) ends.set(keyId, Math.min(Number(endsAt), ends.get(keyId) ?? Infinity));
  }
  const keys: HeldKey[] = [];
  for (const name of names.filter((file) => file.endsWith('.json'))) {
    const key = await readKey(join(folderOf(dataDir), name));
    if (key === undefined || `${key.keyId}.json` !== name) {
      onUnreadable(name);
      continue;
    }
    const expiresAt = key.expiresAt === null ? Infinity : Date.parse(key.expiresAt);
    const endsAt = Math.min(expiresAt, ends.get(key.keyId) ?? Infinity);
    keys.push({ ...key, revoked: revoked.has(key.keyId), endsAt });
  }
  return keys.sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
}

/** Their names change with everything that happens to a key. No folder: no key. Throws where it cannot be read. */
export async function apiKeyFiles(dataDir: string): Promise<string[]> {
  try {
    return (await readdir(folderOf(dataDir))).filter((name) => FILE_NAME.test(name)).sort();
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw err;
  }
}

async function readKey(path: string): Promise<ApiKey | undefined> {
  const text = await readFile(path, 'utf8');
  try {
    return ApiKey.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function knownKey(dataDir: string, keyId: string): Promise<HeldKey> {
  const key = (await readApiKeys(dataDir)).find((held) => held.keyId === keyId);
  if (key === undefined)
    throw new UsageError(
      `There is no key ${keyId} in ${folderOf(dataDir)}: \`nextbest keys list\` tells which there are.`,
    );
  return key;
}

function writeOnce(path: string, text: string): Promise<void> {
  return writeAtomically(path, async (temporary) => {
    await writeFile(temporary, text, { mode: ownerOnly.file });
    await chmod(temporary, ownerOnly.file);
  });
}
