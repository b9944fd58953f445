/**
 * What a customer has been offered lately, as one value beside the record. It is read before a decision and written after it
 * by compare-and-set: whoever decided on a history that has changed meanwhile is told so, and decides again. So the rules stay
 * in one place (src/offers), and no cap is broken by two processes at once.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CHANNELS } from '../../domain/channel.ts';
import { CONTACT_CHANNELS } from '../../domain/decision-policy.ts';
import { dayMs } from '../../domain/time.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { redisScript } from '../../infra/redis-script.ts';
import { together } from '../../infra/redis-together.ts';
import { type Contact, type ContactHistory, isOpen, isStanding } from '../../offers/contact-history.ts';

/** A history, and by what the ledger knows whether it still is the customer's. */
export type ReadContacts = { history: ContactHistory; version: string };

export type ContactLedger = {
  /** One round trip, which is pipelined with whatever else is asked at the same time. */
  read: (subjectId: string) => Promise<ReadContacts>;
  /** Of many, in their order, in one round trip. */
  readMany: (subjectIds: readonly string[]) => Promise<ReadContacts[]>;
  /** false: the history has changed since `version` was read, and nothing was written. Drops what no rule needs any more. */
  write: (subjectId: string, version: string, history: ContactHistory, now: number) => Promise<boolean>;
  /** Changes the contacts of a decision, however many others are at work on the same customer. */
  update: (
    subjectId: string,
    change: (history: ContactHistory) => ContactHistory,
    now: number,
  ) => Promise<void>;
};

/** Contacts of a customer that are kept at most, the newest. */
export const contactsMax = 200;

/** As many writers at once as are imaginable for one customer. */
const attemptsMax = 50;

/** Contacts are needed as long as the longest window of a cap. */
export const contactWindowMs = 366 * dayMs;

const STATES = ['reserved', 'confirmed', 'redeemed', 'dismissed'] as const;

/** As it is kept: a list a contact, without names. Text that another version wrote in another shape counts as no history. */
const Row = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z
    .int()
    .min(0)
    .max(CHANNELS.length - 1),
  z.number(),
  z.union([z.literal(0), z.literal(1)]),
  z.number(),
  z
    .int()
    .min(0)
    .max(STATES.length - 1),
  z.number(),
  z.number(),
]);
type Row = z.output<typeof Row>;
const Rows = z.array(Row);

/** KEYS: the history. ARGV: version that it must have, the new history, its lifetime in milliseconds. */
const writeScript = redisScript(`
local current = redis.call('GET', KEYS[1])
if (current and redis.sha1hex(current) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
`);

export function createContactLedger(redis: Redis, keys: Keys): ContactLedger {
  const readAs = (text: string | null): ReadContacts => ({
    history: text === null ? [] : parseContacts(text),
    version: versionOf(text),
  });

  async function read(subjectId: string): Promise<ReadContacts> {
    return readAs(await redis.get(keys.contacts(subjectId)));
  }

  async function write(
    subjectId: string,
    version: string,
    history: ContactHistory,
    now: number,
  ): Promise<boolean> {
    const kept = bounded(
      history.filter((contact) => isNeeded(contact, now)),
      now,
    );
    const text = kept.length === 0 ? '' : JSON.stringify(kept.map(rowOf));
    const ttlMs = Math.max(1, ...kept.map((contact) => neededUntil(contact) - now));
    return (await writeScript(redis, [keys.contacts(subjectId)], [version, text, ttlMs])) === 1;
  }

  return {
    read,
    async readMany(subjectIds) {
      const texts = await together(redis, (to) => {
        for (const subjectId of subjectIds) to.get(keys.contacts(subjectId));
      });
      return texts.map((text) => readAs(text as string | null));
    },
    write,
    async update(subjectId, change, now) {
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const { history, version } = await read(subjectId);
        const changed = change(history);
        if (changed === history || (await write(subjectId, version, changed, now))) return;
      }
      throw new Error(`a customer's contacts were changed by others in each of ${attemptsMax} attempts`);
    },
  };
}

/** Of too many, the oldest page views go first: what the customer may redeem, and what was sent to her, is what rules ask for. */
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

function versionOf(text: string | null): string {
  return text === null ? '' : createHash('sha1').update(text).digest('hex');
}

function rowOf(contact: Contact): Row {
  return [
    contact.occasionId,
    contact.decisionId,
    contact.offerId,
    CHANNELS.indexOf(contact.channel),
    contact.at,
    contact.discount ? 1 : 0,
    contact.redeemableUntil,
    STATES.indexOf(contact.state),
    contact.stateAt,
    contact.expiresAt,
  ];
}

/** An empty history for what cannot be read. */
export function parseContacts(text: string): ContactHistory {
  const parsed = Rows.safeParse(jsonOrUndefined(text));
  if (!parsed.success) return [];
  return parsed.data.flatMap(
    ([
      occasionId,
      decisionId,
      offerId,
      channelAt,
      at,
      discount,
      redeemableUntil,
      stateIndex,
      stateAt,
      expiresAt,
    ]): Contact[] => {
      const channel = CHANNELS[channelAt];
      const state = STATES[stateIndex];
      if (channel === undefined || state === undefined) return [];
      return [
        {
          occasionId,
          decisionId,
          offerId,
          channel,
          at,
          discount: discount === 1,
          redeemableUntil,
          state,
          stateAt,
          expiresAt,
        },
      ];
    },
  );
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
