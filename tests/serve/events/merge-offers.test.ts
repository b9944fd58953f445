/** What a guest was offered, after the log-in: the customer's, each offer once, in the ledgers and when they are made anew. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type DecideRequest, decide } from '../../../src/decide/decide.ts';
import { type LoggedDecision, loggedForm } from '../../../src/decide/decision-log.ts';
import { contactsOf, settleOutcome } from '../../../src/decide/settle-outcome.ts';
import { knownSubject } from '../../../src/decide/subject.ts';
import { DecisionPolicy } from '../../../src/domain/decision-policy.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import { CustomerId, SessionId } from '../../../src/domain/ids.ts';
import type { OfferOutcome } from '../../../src/domain/offer.ts';
import { dayMs, hourMs } from '../../../src/domain/time.ts';
import { keepGuestEvents, mergedTtlMs } from '../../../src/features/guest-events.ts';
import { guestSubject } from '../../../src/features/subject.ts';
import { attributeMerged } from '../../../src/history/merged-sessions.ts';
import { writeEntries } from '../../../src/history/write-entries.ts';
import { createKeys } from '../../../src/infra/keys.ts';
import { wasMadeFor } from '../../../src/serve/decide/made-for.ts';
import { type MergeDeps, mergeSession } from '../../../src/serve/events/merge-session.ts';
import { rebuildLedgers } from '../../../src/train/rebuild-ledgers.ts';
import { decideDeps } from '../../support/decide-deps.ts';
import { testLake } from '../../support/lake.ts';
import { makeOffer, noon } from '../../support/offers.ts';
import { deleteEach, keysMatching, testRedis } from '../../support/redis.ts';

const { redis, prefix } = testRedis();
const policy = DecisionPolicy.parse({
  exploration: { method: 'none' },
  contact: { oneDiscountAtATime: false },
});
const offer = makeOffer({
  offerId: 'welcome',
  benefit: { kind: 'amountOff', amountMinor: 300 },
  redeemWithinDays: 10,
  budget: { amountMinor: 10_000 },
});
const customerId = CustomerId.parse('anna');
const sessionId = SessionId.parse('visit');

const consent = (of: CustomerId | undefined, streamId: string) => ({
  event: {
    type: 'customerUpdated',
    eventId: `consent-${streamId}`,
    ...(of === undefined ? { sessionId } : { customerId: of }),
    occurredAt: noon - dayMs,
    channel: 'web',
    attributes: { consent: { email: true } },
  } as unknown as ShopEvent,
  streamId,
});

function shop() {
  const keys = createKeys(`${prefix}:${randomUUID()}`);
  let clock = noon;
  const deps = decideDeps(redis, keys, { offers: [offer], policy, now: () => clock });
  const events: ShopEvent[] = [];
  const decisions: LoggedDecision[] = [];
  const decided = async (subject: DecideRequest['subject']) => {
    clock += hourMs;
    const context = { itemIds: [], basketMinor: 10_000 };
    const request = {
      subject,
      channel: 'web' as const,
      placements: ['hero'],
      campaign: undefined,
      limit: 1,
      context,
    };
    const made = loggedForm((await decide(request, deps)).decision);
    if (made === undefined) throw new Error('not logged');
    decisions.push(made);
    return made;
  };
  const merge = async (on: Partial<MergeDeps> = {}) => {
    clock += hourMs;
    await mergeSession(sessionId, customerId, { ...deps, ...on });
    return clock;
  };
  /** `early`: the contacts, as they were read before. */
  const tell = async (
    decision: LoggedDecision,
    outcome: OfferOutcome,
    early?: ReturnType<typeof contactsOf>,
  ) => {
    clock += hourMs;
    const { decisionId } = decision;
    const made = decision.placements[0]?.offers[0];
    if (made === undefined) throw new Error('no offer was made');
    const told = { outcome, at: clock, costMinor: 120 };
    const event = {
      type: 'offerOutcome',
      eventId: `o-${events.length}`,
      customerId,
      sessionId,
      channel: 'web',
    };
    events.push({
      ...event,
      occurredAt: clock,
      decisionId,
      offerId: made.offerId,
      ...told,
    } as unknown as ShopEvent);
    return await settleOutcome(decision, made, told, deps.market.known(), deps, early);
  };
  const pass = (ms: number) => {
    clock += ms;
  };
  const ledgers = async () => {
    const { reservedCount, confirmedCount, unbudgetedCount } = await deps.budgets.state(offer, clock);
    const { history } = await deps.contacts.read(customerId);
    const contacts = history.map((one) => ({
      by: one.decisionId,
      state: one.state,
      isOpen: one.redeemableUntil > clock,
    }));
    return { reservedCount, confirmedCount, unbudgetedCount, contacts };
  };
  /** `mergedAt`: undefined where nobody has logged in. */
  const rebuilt = async (mergedAt: number | undefined, night: 'at once' | 'after a night' = 'at once') => {
    const lake = await testLake();
    await writeEntries(lake, 'stream-1-0-2-0', {
      events,
      catalogue: [{ kind: 'offer', at: noon - dayMs, offer }],
      decisions,
      merges: mergedAt === undefined ? [] : [{ kind: 'merge', sessionId, customerId, at: mergedAt }],
    });
    if (night === 'after a night') await attributeMerged(lake, Date.now() + 2 * dayMs);
    const periods = await keysMatching(redis, `${keys.budgetPeriods('welcome').replace(/[{}]/g, '?')}*`);
    const budget = [keys.budgetReservations('welcome'), keys.budgetDue('welcome'), ...periods];
    await deleteEach(redis, [keys.contacts(customerId), ...budget]);
    const { contacts } = deps;
    await rebuildLedgers({ lake, redis, keys, contacts, policy, currency: 'EUR', now: clock });
    return await ledgers();
  };
  return { keys, deps, decided, merge, tell, ledgers, rebuilt, pass };
}

test('who was given an offer as a guest and again as a customer holds the one that ends last, and its budget is out once', async () => {
  const { decided, merge, ledgers } = shop();
  const first = await decided({ sessionId });
  const second = await decided({ customerId });
  expect(await ledgers()).toMatchObject({ reservedCount: 2 });
  await merge();
  const once = {
    reservedCount: 1,
    contacts: [
      { by: first.decisionId, state: 'reserved', isOpen: false },
      { by: second.decisionId, state: 'reserved', isOpen: true },
    ],
  };
  expect(await ledgers()).toMatchObject(once);
  await merge();
  expect(await ledgers()).toMatchObject(once);
  const again = await decided({ customerId });
  expect(again.placements[0]?.offers[0]?.heldSince).toBe(second.decisionId);
});

test('what she was promised for longest she may redeem until then, at what was reserved for it', async () => {
  const { decided, merge, tell, ledgers, rebuilt, pass } = shop();
  await decided({ sessionId });
  pass(5 * dayMs);
  const later = await decided({ customerId });
  const mergedAt = await merge();
  // The first has lapsed by then, and the time to tell of it is over.
  pass(9 * dayMs);
  expect(await ledgers()).toMatchObject({ reservedCount: 1 });
  expect(await tell(later, 'redeemed')).toBe('confirmed');
  const after = await ledgers();
  expect(after).toMatchObject({ reservedCount: 0, confirmedCount: 1, unbudgetedCount: 0 });
  expect(await rebuilt(mergedAt)).toEqual(after);
});

test.each(['guest', 'customer'] as const)(
  'a page view that goes on with one of the two, the %s given first, is a decision about the one that she holds',
  async (first) => {
    const { decided, merge, tell, ledgers, rebuilt } = shop();
    const early = first === 'guest' ? await decided({ sessionId }) : undefined;
    const held = await decided({ customerId });
    const view = await decided({ customerId });
    expect(view.placements[0]?.offers[0]?.heldSince).toBe(held.decisionId);
    const guest = early ?? (await decided({ sessionId }));
    const mergedAt = await merge();
    expect(await tell(view, 'redeemed')).toBe('confirmed');
    expect(await tell(guest, 'redeemed')).toBe('repeated');
    const after = await ledgers();
    expect(after).toMatchObject({ reservedCount: 0, confirmedCount: 1, unbudgetedCount: 0 });
    expect(await rebuilt(mergedAt)).toEqual(after);
  },
);

test.each(['guest', 'customer'] as const)(
  'redeemed as the %s before the log-in, it is not to be redeemed again as the other',
  async (which) => {
    const { decided, merge, tell, ledgers, rebuilt } = shop();
    const given = { guest: await decided({ sessionId }), customer: await decided({ customerId }) };
    expect(await tell(given[which], 'redeemed')).toBe('confirmed');
    const mergedAt = await merge();
    const after = await ledgers();
    expect(after).toMatchObject({ reservedCount: 0, confirmedCount: 1 });
    expect(after.contacts.some(({ isOpen, state }) => isOpen && state === 'reserved')).toBe(false);
    expect(await tell(given[which === 'guest' ? 'customer' : 'guest'], 'redeemed')).toBe('repeated');
    expect(await rebuilt(mergedAt)).toEqual(await ledgers());
  },
);

test('what she is given after she has redeemed it is another one, which a log-in leaves to her', async () => {
  const { decided, merge, tell, ledgers } = shop();
  const before = await decided({ customerId });
  expect(await tell(before, 'redeemed')).toBe('confirmed');
  const guest = await decided({ sessionId });
  await merge();
  expect(await ledgers()).toMatchObject({ reservedCount: 1, confirmedCount: 1 });
  expect(await tell(guest, 'redeemed')).toBe('confirmed');
  expect(await ledgers()).toMatchObject({ reservedCount: 0, confirmedCount: 2 });
});

test.each(['guest', 'customer'] as const)(
  'dismissed as the %s and redeemed after the log-in, it has cost once, whichever is told of',
  async (which) => {
    const { decided, merge, tell, ledgers, rebuilt } = shop();
    const guest = await decided({ sessionId });
    const customer = await decided({ customerId });
    expect(await tell(which === 'guest' ? guest : customer, 'dismissed')).toBe('released');
    const mergedAt = await merge();
    expect(await tell(guest, 'redeemed')).toBe('confirmed');
    expect(await tell(customer, 'redeemed')).toBe('repeated');
    const after = await ledgers();
    expect(after).toMatchObject({ reservedCount: 0, confirmedCount: 1, unbudgetedCount: 0 });
    expect(await rebuilt(mergedAt)).toEqual(after);
  },
);

test('told of so late that nothing is reserved any more, the two are still known to be one', async () => {
  const { decided, merge, tell, ledgers, pass } = shop();
  const guest = await decided({ sessionId });
  const customer = await decided({ customerId });
  await merge();
  pass(20 * dayMs);
  // What has lapsed goes with the next change.
  await decided({ customerId });
  await tell(guest, 'redeemed');
  expect(await tell(customer, 'redeemed')).toBe('repeated');
  expect(await ledgers()).toMatchObject({ confirmedCount: 1, unbudgetedCount: 0 });
});

test.each([
  ['guest', 'at once'],
  ['guest', 'after a night'],
  ['customer', 'at once'],
  ['customer', 'after a night'],
] as const)(
  'redeemed as the %s, and told of the other too, it has cost once; the lake tells the same, %s',
  async (which, night) => {
    const { decided, merge, tell, ledgers, rebuilt } = shop();
    const guest = await decided({ sessionId });
    const customer = await decided({ customerId });
    const mergedAt = await merge();
    expect(await tell(which === 'guest' ? guest : customer, 'redeemed')).toBe('confirmed');
    expect(await tell(which === 'guest' ? customer : guest, 'redeemed')).toBe('repeated');
    const after = await ledgers();
    expect(after).toMatchObject({ reservedCount: 0, confirmedCount: 1, unbudgetedCount: 0 });
    expect(after.contacts.map(({ state }) => state)).toEqual(['redeemed', 'redeemed']);
    expect(await rebuilt(mergedAt, night)).toEqual(after);
  },
);

test('what the customer makes of an offer that she was given as a guest is known of the customer', async () => {
  const { decided, merge, tell, ledgers, rebuilt } = shop();
  const guest = await decided({ sessionId });
  const mergedAt = await merge();
  expect(await tell(guest, 'dismissed')).toBe('released');
  const after = await ledgers();
  expect(after).toMatchObject({ reservedCount: 0, contacts: [{ by: guest.decisionId, state: 'dismissed' }] });
  expect(await rebuilt(mergedAt, 'after a night')).toEqual(after);
});

test.each(['before it is read', 'once it has been taken over'] as const)(
  'a dismissal during the log-in, %s, is known of the customer and gives back what was reserved',
  async (when) => {
    const { deps, decided, merge, tell, ledgers } = shop();
    const given = await decided({ sessionId });
    let isTold = false;
    const once = async () => {
      if (isTold) return;
      isTold = true;
      expect(await tell(given, 'dismissed')).toBe('released');
    };
    const { contacts, records } = deps;
    await merge({
      records: {
        async apply(...of) {
          if (when === 'before it is read') await once();
          return await records.apply(...of);
        },
      },
      contacts: {
        ...contacts,
        async update(...of) {
          await contacts.update(...of);
          await once();
        },
      },
    });
    expect(isTold).toBe(true);
    const contact = { by: given.decisionId, state: 'dismissed' };
    expect(await ledgers()).toMatchObject({ reservedCount: 0, contacts: [contact] });
    expect((await deps.contacts.read(guestSubject(sessionId))).history).toEqual([]);
  },
);

test.each(['nothing', 'an offer'] as const)(
  'a decision for a guest who was given %s before, and who logs in before it is written, is the customer’s',
  async (before) => {
    const { deps, decided, merge, tell, ledgers } = shop();
    const earlier = before === 'an offer' ? await decided({ sessionId }) : undefined;
    const { contacts } = deps;
    let mergedAt: number | undefined;
    const late = {
      ...deps,
      contacts: {
        ...contacts,
        // It has chosen by what the guest was given, and reserved the budget: nobody knows of the log-in yet.
        async writeMany(...of: Parameters<typeof contacts.writeMany>) {
          mergedAt ??= await merge();
          return await contacts.writeMany(...of);
        },
      },
    };
    const request = {
      subject: { sessionId },
      channel: 'email' as const,
      placements: ['hero'],
      campaign: 'spring',
      limit: 1,
      context: { itemIds: [], basketMinor: 10_000 },
    };
    await deps.records.apply(customerId, [consent(customerId, '1-1')]);
    await deps.records.apply(guestSubject(sessionId), [consent(undefined, '2-1')]);
    const { decision } = await decide(request, late);
    expect(mergedAt).toBeDefined();
    expect(decision).toMatchObject({ customerId, placements: [{ offers: [{ offerId: 'welcome' }] }] });
    expect(decision).not.toHaveProperty('sessionId');
    const { reservedCount, contacts: known } = await ledgers();
    // Given before, it is the one that she goes on to hold: another contact, and no further budget.
    expect(reservedCount).toBe(1);
    expect(known.map(({ by }) => by)).toEqual([
      ...(earlier ? [earlier.decisionId] : []),
      decision.decisionId,
    ]);
    expect((await contacts.read(guestSubject(sessionId))).history).toEqual([]);
    await merge();
    expect(await ledgers()).toMatchObject({ reservedCount: 1, contacts: known });
    const logged = loggedForm(decision);
    if (logged === undefined) throw new Error('not logged');
    expect(await tell(logged, 'dismissed')).toBe('released');
    expect(await ledgers()).toMatchObject({ reservedCount: 0 });
  },
);

test('who asked whose the session is before the log-in, and read what it was given after it, decides for the customer', async () => {
  const { decided, merge, ledgers } = shop();
  await merge();
  const given = await decided({ sessionId });
  expect(given).toMatchObject({ customerId });
  expect(await ledgers()).toMatchObject({ reservedCount: 1, contacts: [{ by: given.decisionId }] });
});

test.each([
  ['guest', 'before it is given back', 'redeemed'],
  ['guest', 'once it is given back', 'redeemed'],
  ['customer', 'before it is given back', 'redeemed'],
  ['customer', 'once it is given back', 'redeemed'],
  ['guest', 'once it is given back', 'dismissed'],
  ['customer', 'before it is given back', 'dismissed'],
] as const)(
  'what the %s was given first and a log-in folds into the other, told of %s by who had read before: %s, it is the other’s',
  async (first, when, outcome) => {
    const { deps, decided, merge, tell, ledgers, rebuilt } = shop();
    const subjects = { guest: { sessionId }, customer: { customerId } };
    const folded = await decided(subjects[first]);
    const kept = await decided(subjects[first === 'guest' ? 'customer' : 'guest']);
    const early = contactsOf(folded, deps);
    await early;
    const { budgets } = deps;
    let isTold = false;
    const once = async () => {
      if (!isTold)
        expect(await tell(folded, outcome, early)).toBe(outcome === 'redeemed' ? 'confirmed' : 'released');
      isTold = true;
    };
    const mergedAt = await merge({
      budgets: {
        async release(...of) {
          if (when === 'before it is given back') await once();
          await budgets.release(...of);
          await once();
        },
      },
    });
    expect(isTold).toBe(true);
    const after = await ledgers();
    const confirmedCount = outcome === 'redeemed' ? 1 : 0;
    expect(after).toMatchObject({ reservedCount: 0, confirmedCount, unbudgetedCount: 0 });
    expect(after.contacts.every(({ state, isOpen }) => state === outcome || !isOpen)).toBe(true);
    if (outcome === 'dismissed') return;
    for (const decision of [folded, kept]) expect(await tell(decision, 'redeemed')).toBe('repeated');
    expect(await ledgers()).toMatchObject({ reservedCount: 0, confirmedCount, unbudgetedCount: 0 });
    expect(await rebuilt(mergedAt)).toMatchObject({ reservedCount: 0, confirmedCount, unbudgetedCount: 0 });
  },
);

test('a decision for the session that did not know of the log-in is answered where it stands, and the next log-in takes it over', async () => {
  const { deps, decided, merge, tell, ledgers } = shop();
  await merge();
  // As a build of before leaves it, which some process may be of.
  await redis.del(deps.keys.contacts(guestSubject(sessionId)));
  const given = await decided({ sessionId });
  expect(await tell(given, 'dismissed')).toBe('released');
  const dismissed = { decisionId: given.decisionId, state: 'dismissed' };
  expect((await deps.contacts.read(guestSubject(sessionId))).history).toMatchObject([dismissed]);
  expect(await wasMadeFor(given, { customerId }, deps)).toBe(true);
  expect(await wasMadeFor(given, { customerId: CustomerId.parse('bert') }, deps)).toBe(false);
  await merge();
  expect(await ledgers()).toMatchObject({
    reservedCount: 0,
    contacts: [{ by: given.decisionId, state: 'dismissed' }],
  });
});

test('a session that has logged in is decided for as the customer, by what she has as well', async () => {
  const { deps, decided, merge, ledgers } = shop();
  const guest = await decided({ sessionId });
  expect(await knownSubject({ sessionId }, deps)).toEqual({ sessionId });
  await merge();
  const subject = await knownSubject({ sessionId }, deps);
  expect(subject).toEqual({ customerId });
  const again = await decided(subject);
  expect(again.placements[0]?.offers[0]?.heldSince).toBe(guest.decisionId);
  expect(await ledgers()).toMatchObject({ reservedCount: 1 });
});

test('a guest who has never logged in is not the customer because a shop sends both ids with an event', async () => {
  const { decided, tell, ledgers, rebuilt } = shop();
  await decided({ sessionId });
  const customer = await decided({ customerId });
  await tell(customer, 'viewed');
  const after = await ledgers();
  expect(after).toMatchObject({ reservedCount: 2, contacts: [{ by: customer.decisionId }] });
  expect(await rebuilt(undefined)).toEqual(after);
});

test('whose a session is stays known as long as what its guest was offered may be told of', async () => {
  const { keys, deps, decided, merge } = shop();
  await decided({ sessionId });
  await merge();
  const guest = guestSubject(sessionId);
  const ttl = () => redis.pttl(keys.mergedInto(guest));
  expect(await ttl()).toBeGreaterThan(60 * dayMs);
  // Neither a further event nor another log-in shortens that.
  const event = { type: 'visit', eventId: 'v', sessionId, channel: 'web', occurredAt: noon } as ShopEvent;
  expect(await keepGuestEvents(guest, [{ event, streamId: '1-1' }], deps)).toBe(customerId);
  await merge();
  expect(await ttl()).toBeGreaterThan(60 * dayMs);
  expect(mergedTtlMs).toBeLessThan(60 * dayMs);
});
