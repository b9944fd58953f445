/** The API keys in memory, at most `pollMs` behind what the operator has done, whichever process is asked. */
import { hash, timingSafeEqual } from 'node:crypto';
import { keyIdOf, type Scope } from '../../domain/api-key.ts';
import { UsageError } from '../../domain/errors.ts';
import { apiKeyFiles, readApiKeys } from '../../infra/api-keys.ts';
import type { Logger } from '../../infra/logger.ts';

export type KnownKey = { readonly keyId: string; readonly scopes: ReadonlySet<Scope> };

export type KeyRing = {
  /** The key of this text, if it is good at `now` (milliseconds since 1970). */
  find: (text: string, now: number) => KnownKey | undefined;
  /** Keys that are good at `now`. */
  count: (now: number) => number;
  stop: () => void;
};

/** How long a revoked key may still be taken, beside the time that the folder's own storage takes to tell. */
const keyPollMs = 1000;

type Entry = KnownKey & { hash: Buffer; endsAt: number };

/** Throws UsageError where the folder cannot be read now; later the keys that are known stay good, and the log tells. */
export async function openKeyRing(dataDir: string, log: Logger, pollMs = keyPollMs): Promise<KeyRing> {
  let entries = new Map<string, Entry>();
  let seen: string | undefined;
  let away = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function refresh(): Promise<void> {
    const names = (await apiKeyFiles(dataDir)).join();
    if (names === seen) return;
    const keys = await readApiKeys(dataDir, (file) =>
      log.error({ event: 'key.unreadable', file }, `${file} is no API key and is left out`),
    );
    entries = new Map(
      keys
        .filter(({ revoked }) => !revoked)
        .map(({ keyId, scopes, sha256, endsAt }) => [
          keyId,
          { keyId, scopes: new Set(scopes), hash: Buffer.from(sha256, 'hex'), endsAt },
        ]),
    );
    seen = names;
    log.info({ event: 'keys.read', keys: entries.size }, 'read the API keys');
  }

  async function poll(): Promise<void> {
    try {
      await refresh();
      away = false;
    } catch (err) {
      if (!away)
        log.error({ event: 'keys.unavailable', err }, 'the API keys cannot be read: those known stay good');
      away = true;
    }
    if (!stopped) timer = setTimeout(poll, pollMs).unref();
  }

  await refresh().catch((err: NodeJS.ErrnoException) => {
    if (err.syscall === undefined) throw err;
    throw new UsageError(
      `The API keys in ${dataDir} cannot be read: ${err.message}. The user of the service must be the one that made them, or own what it ` +
        'has made: make keys as that user (`nextbest keys create`), or give it the folder (chown -R USER DATA_DIR/api-keys).',
      { cause: err },
    );
  });
  timer = setTimeout(poll, pollMs).unref();
  return {
    find: (text, now) => {
      const keyId = keyIdOf(text);
      if (keyId === undefined) return undefined;
      const entry = entries.get(keyId);
      // Whether there is such an id is no secret; whether the rest fits is, and takes the same time either way.
      if (entry === undefined || !timingSafeEqual(hash('sha256', text, 'buffer'), entry.hash))
        return undefined;
      return now < entry.endsAt ? entry : undefined;
    },
    count: (now) => [...entries.values()].filter(({ endsAt }) => now < endsAt).length,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
