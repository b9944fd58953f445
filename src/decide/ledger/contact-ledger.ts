/**
 * What a customer has been offered lately, as one value beside the record. It is read before a decision and written after it
 * by compare-and-set: whoever decided on a history that has changed meanwhile is told so, and decides again. So the rules stay
 * in one place (src/offers), and no cap is broken by two processes at once.
 */
import { createHash } from 'node:crypto';
import { CONTACT_CHANNELS } from '../../domain/decision-policy.ts';
import { dayMs } from '../../domain/time.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { isCluster } from '../../infra/redis.ts';
import { redisScript } from '../../infra/redis-script.ts';
import { getMany, slices } from '../../infra/redis-together.ts';
import { type Contact, type ContactHistory, isOpen, isStanding } from '../../offers/contact-history.ts';
import { packContacts, unpackContacts } from './packed-contacts.ts';

/** A history, and by what the ledger knows whether it still is the customer's. */
export type ReadContacts = {
  history: ContactHistory;
  version: string;
  /** The customer's has others besides, which are to go with the next write. */
  isShortened?: true;
  /** Of a guest who has just logged in: her contacts are the customer's, and whoever writes any here comes too late. */
  isTakenOver?: true;
};

export type ContactLedger = {
  /** One round trip, which is pipelined with whatever else is asked at the same time. */
  read: (subjectId: string) => Promise<ReadContacts>;
  /** Of what has been read beside something else, under `keys.contacts`. */
  readFrom: (bytes: Buffer | null) => ReadContacts;
  /** Of many, in their order, in one round trip. */
  readMany: (subjectIds: readonly string[]) => Promise<ReadContacts[]>;
  /** false: the history has changed since `version` was read, and nothing was written. Drops what no rule needs any more. */
  write: (subjectId: string, version: string, history: ContactHistory, now: number) => Promise<boolean>;
  /**
   * Leaves word that a guest's contacts are the customer's now, so that whoever decided for the guest meanwhile decides again.
   * false: they have changed since `version` was read.
   */
  closeTaken: (subjectId: string, version: string) => Promise<boolean>;
  /** What a script that writes them beside something else of the customer's needs: see `contactsStand`. */
  prepare: (write: ContactsWrite, now: number) => PreparedContacts;
  /** The same of many, in their order. */
  writeMany: (writes: readonly ContactsWrite[], now: number) => Promise<boolean[]>;
  /**
   * Changes the contacts of a decision, however many others are at work on the same customer. `early`: what has been read in
   * advance, which saves a round trip where nobody has been quicker.
   */
  update: (
    subjectId: string,
    change: (history: ContactHistory) => ContactHistory,
    now: number,
    early?: Promise<ReadContacts>,
  ) => Promise<void>;
  /** Takes these contacts away, those of a decision that is not answered after all. Writes nothing where there are none. */
  drop: (subjectId: string, drops: (contact: Contact) => boolean, now: number) => Promise<void>;
};

/** What is to be left of a history. */
export function withoutContacts(read: ReadContacts, drops: (contact: Contact) => boolean): ReadContacts {
  const history = without(read.history, drops);
  return history === read.history ? read : { ...read, history, isShortened: true };
}

/** The same history where there is nothing to drop. */
function without(history: ContactHistory, drops: (contact: Contact) => boolean): ContactHistory {
  return history.some(drops) ? history.filter((contact) => !drops(contact)) : history;
}

/** The key, and the arguments that `writeContactsLua` takes. */
export type PreparedContacts = { key: string; args: [version: string, history: Buffer, ttlMs: number] };

/** The history, and the version that it was made from. */
export type ContactsWrite = { subjectId: string; version: string; history: ContactHistory };

/** Contacts of a customer that are kept at most, the newest. */
export const contactsMax = 200;

/** As many writers at once as are imaginable for one customer. */
const attemptsMax = 50;

/** Contacts are needed as long as the longest window of a cap. */
export const contactWindowMs = 366 * dayMs;

/** What stands in the place of a guest's: no history begins so. */
const taken = Buffer.from([0]);

/** No request that has begun before the log-in lasts so long. */
const takenMs = 10 * 60_000;

/** Lua: writes `text` for `ttl` milliseconds under `key` and answers true, unless what stands there has another `version`. */
export const writeContactsLua = `
local function writeContacts(key, version, text, ttl)
  local current = redis.call('GET', key)
  if (current and redis.sha1hex(current) or '') ~= version then return false end
  if text == '' then redis.call('DEL', key) else redis.call('SET', key, text, 'PX', ttl) end
  return true
end
`;

/**
 * KEYS: histories. ARGV, for each: version that it must have, the new history, its lifetime in milliseconds. Answers for each
 * whether it was written.
 */
const writeScript = redisScript(`${writeContactsLua}
local written = {}
for i, key in ipairs(KEYS) do
  written[i] = writeContacts(key, ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]) and 1 or 0
end
return written
`);

export function createContactLedger(redis: Redis, keys: Keys): ContactLedger {
  // What cannot be read counts as no history.
  const readAs = (bytes: Buffer | null): ReadContacts =>
    bytes === null
      ? none
      : {
          history: unpackContacts(bytes) ?? [],
          version: versionOf(bytes),
          ...(bytes.equals(taken) && { isTakenOver: true }),
        };

  async function read(subjectId: string): Promise<ReadContacts> {
    return readAs(await redis.getBuffer(keys.contacts(subjectId)));
  }

  async function writeMany(writes: readonly ContactsWrite[], now: number): Promise<boolean[]> {
    // The histories of a cluster lie on different nodes.
    const parts = slices(writes, isCluster(redis) ? 1 : writesMax);
    const replies = await Promise.all(
      parts.map((some) =>
        writeScript(
          redis,
          some.map(({ subjectId }) => keys.contacts(subjectId)),
          some.flatMap(({ version, history }) => [version, ...keptBytes(history, now)]),
        ),
      ),
    );
    return (replies as number[][]).flat().map((reply) => reply === 1);
  }

  const write: ContactLedger['write'] = async (subjectId, version, history, now) => {
    const [written = false] = await writeMany([{ subjectId, version, history }], now);
    return written;
  };

  const update: ContactLedger['update'] = async (subjectId, change, now, early) => {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const { history, version } = await (attempt === 0 && early !== undefined ? early : read(subjectId));
      const changed = change(history);
      if (changed === history || (await write(subjectId, version, changed, now))) return;
    }
    throw new Error(`a customer's contacts were changed by others in each of ${attemptsMax} attempts`);
  };

  return {
    read,
    readFrom: readAs,
    async readMany(subjectIds) {
      const found = await getMany(
        redis,
        subjectIds.map((subjectId) => keys.contacts(subjectId)),
      );
      return found.map(readAs);
    },
    write,
    async closeTaken(subjectId, version) {
      const [closed] = (await writeScript(
        redis,
        [keys.contacts(subjectId)],
        [version, taken, takenMs],
      )) as number[];
      return closed === 1;
    },
    prepare: ({ subjectId, version, history }, now) => ({
      key: keys.contacts(subjectId),
      args: [version, ...keptBytes(history, now)],
    }),
    writeMany,
    update,
    drop: (subjectId, drops, now) => update(subjectId, (history) => without(history, drops), now),
  };
}

/** Of somebody who has not been offered anything. */
const none: ReadContacts = { history: [], version: '' };

/** Histories that one script writes. */
const writesMax = 250;

/** The history without what no rule needs any more, nothing = nothing is left, and for how long it is needed. */
function keptBytes(history: ContactHistory, now: number): [bytes: Buffer, ttlMs: number] {
  const kept = bounded(
    history.filter((contact) => isNeeded(contact, now)),
    now,
  );
  const bytes = kept.length === 0 ? Buffer.alloc(0) : packContacts(kept);
  return [bytes, Math.max(1, ...kept.map((contact) => neededUntil(contact) - now))];
}

/**
 * Of too many, the oldest page views go first: what the customer may redeem, and what was sent to her, is what rules ask for.
 */
function bounded(history: ContactHistory, now: number): ContactHistory {
  let excess = history.length - contactsMax;
  if (excess <= 0) return history;
  const isPageView = (contact: Contact) => !CONTACT_CHANNELS.has(contact.channel) && !isOpen(contact, now);
  const kept = history.filter((contact) => !(isPageView(contact) && excess-- > 0));
  return kept.slice(-contactsMax);
}

function isNeeded(contact: Contact, now: number): boolean {
  if (!isStanding(contact, now)) return false;
  return Math.max(contact.at, contact.stateAt) > now - contactWindowMs || isOpen(contact, now);
}

/** Guests come once and are many: what is only held for them to redeem goes when it lapses. */
function neededUntil({ state, expiresAt, at, stateAt, redeemableUntil }: Contact): number {
  return state === 'reserved'
    ? expiresAt
    : Math.max(at + contactWindowMs, stateAt + contactWindowMs, redeemableUntil);
}

function versionOf(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}
