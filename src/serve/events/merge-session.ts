/**
 * A guest logs in: what the session has told counts for the customer from the next answer on, and what it tells later does. The
 * order matters. First the session is the customer's (then no later event is missed), then that is in the event stream (then the history
 * knows it for ever), then the record is brought up to date, marked as reflecting that entry (then no rebuild from a
 * history that lacks it takes its place), and only then what was kept of the guest goes. Done again, it changes nothing.
 */
import type { ContactLedger } from '../../decide/ledger/contact-ledger.ts';
import { type FoldedContacts, foldContacts } from '../../decide/ledger/fold-contacts.ts';
import type { BudgetLedger } from '../../decide/ledger/offer-budget.ts';
import { CONTACT_RANK } from '../../decide/settle-outcome.ts';
import { toldWithinDays } from '../../decide/told-until.ts';
import { AppError } from '../../domain/errors.ts';
import type { CustomerId, SessionId } from '../../domain/ids.ts';
import { dayMs } from '../../domain/time.ts';
import { guestEventsMax, takeGuestEvents } from '../../features/guest-events.ts';
import { putDownForRebuild } from '../../features/put-down-for-rebuild.ts';
import type { RecordStore } from '../../features/record-store.ts';
import { RECORD_SCHEMA } from '../../features/registry.ts';
import { guestSubject } from '../../features/subject.ts';
import { appendEntries, refuseWhileFull } from '../../infra/event-log.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import type { Contact, ContactHistory } from '../../offers/contact-history.ts';

export type MergeDeps = {
  redis: Redis;
  keys: Keys;
  records: Pick<RecordStore, 'apply'>;
  contacts: Pick<ContactLedger, 'read' | 'update' | 'closeTaken'>;
  budgets: Pick<BudgetLedger, 'release'>;
  /** Milliseconds since 1970. */
  now: () => number;
  config: { streamMaxLength: number };
};

export type Merged = {
  /** That have come to the customer by it. */
  events: number;
  /** Whose ids events of the customer had already: they are taken for those, told again. */
  repeated: number;
};

/**
 * Answers what has become of the guest's events. AppError CONFLICT where the session is another customer's, TOO_MANY_REQUESTS while the
 * event stream is full.
 */
export async function mergeSession(
  sessionId: SessionId,
  customerId: CustomerId,
  deps: MergeDeps,
): Promise<Merged> {
  const { redis, keys, records, contacts, now, config } = deps;
  await refuseWhileFull(redis, keys, config.streamMaxLength);
  const guest = guestSubject(sessionId);
  const told = await takeGuestEvents(sessionId, customerId, deps);
  if (told === undefined)
    throw new AppError('CONFLICT', {
      public: 'The session has become another customer. Begin a new session when another logs in.',
    });
  const at = now();
  const [streamId] = await appendEntries(redis, keys, [{ kind: 'merge', sessionId, customerId, at }]);
  const { outcomes } = await records.apply(customerId, told, streamId);
  // There may have been more, which the history has alone.
  if (told.length >= guestEventsMax) await putDownForRebuild(redis, keys, [customerId]);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const { history, version, isTakenOver } = await contacts.read(guest);
    if (isTakenOver) break;
    if (history.length > 0) await takeContacts(history, guest, customerId, at, deps);
    // What has been told of them, or decided for the guest, since is taken over as well.
    if (await contacts.closeTaken(guest, version)) break;
  }
  await redis.del(keys.guestEvents(guest), keys.record(RECORD_SCHEMA, guest));
  const events = outcomes.filter((outcome) => outcome === 'applied').length;
  return { events, repeated: outcomes.length - events };
}

/** As often as somebody may tell of what the guest was offered meanwhile; what is left then is the next log-in's. */
const attemptsMax = 10;

/**
 * What the guest was offered is the customer's, but what she has already: of that one is given back. Dying before that, it
 * lapses. As long as any of it may be told of, it is known whose the session is.
 */
async function takeContacts(
  history: ContactHistory,
  guest: string,
  customerId: CustomerId,
  at: number,
  { redis, keys, contacts, budgets }: MergeDeps,
): Promise<void> {
  let given: FoldedContacts['folded'] = [];
  await contacts.update(
    customerId,
    (known) => {
      const { contacts: kept, folded } = foldContacts(withContacts(known, history), at);
      given = folded;
      return kept;
    },
    at,
  );
  for (const { offerId, decisionId } of given) await budgets.release(offerId, decisionId, at);
  const toldFor =
    Math.max(...history.map(({ redeemableUntil }) => redeemableUntil)) + toldWithinDays * dayMs - at;
  const known = keys.mergedInto(guest);
  if (toldFor > (await redis.pttl(known))) await redis.pexpire(known, toldFor);
}

/** The same list where there is nothing new. Of what is in both, the later answer counts. */
function withContacts(known: readonly Contact[], more: readonly Contact[]): readonly Contact[] {
  const idOf = ({ decisionId, offerId, occasionId }: Contact) =>
    JSON.stringify([decisionId, offerId, occasionId]);
  const news = new Map(more.map((contact) => [idOf(contact), contact]));
  let isNew = false;
  const answered = known.map((contact) => {
    const told = news.get(idOf(contact));
    news.delete(idOf(contact));
    if (told === undefined || CONTACT_RANK[told.state] <= CONTACT_RANK[contact.state]) return contact;
    isNew = true;
    return { ...contact, state: told.state, stateAt: told.stateAt };
  });
  if (!isNew && news.size === 0) return known;
  return [...answered, ...news.values()].sort((a, b) => a.at - b.at);
}
