import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type DecideRequest, decide, noContext } from '../../src/decide/decide.ts';
import {
  type LoggedDecision,
  logDecision,
  loggedForm,
  readOutline,
  readWaiting,
} from '../../src/decide/decision-log.ts';
import { CustomerId, OfferId } from '../../src/domain/ids.ts';
import { dayMs } from '../../src/domain/time.ts';
import { drainAll } from '../../src/history/drain.ts';
import { openLake } from '../../src/history/lake.ts';
import { countOfDecision, forgetDecision, outlinePlace } from '../../src/infra/decision-places.ts';
import { decideDeps } from '../support/decide-deps.ts';
import { nobodyErased } from '../support/nobody-erased.ts';
import { timesMade } from '../support/offer-counts.ts';
import { makeItem, makeOffer, noon } from '../support/offers.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();
const folder = await mkdtemp(join(tmpdir(), 'nextbest-decisions-'));
const lake = await openLake(folder);
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

const deps = decideDeps(redis, keys, {
  offers: [
    makeOffer({ offerId: 'five', benefit: { kind: 'percentOff', percent: 5 } }),
    makeOffer({ offerId: 'ten', benefit: { kind: 'percentOff', percent: 10 } }),
  ],
  items: [makeItem({ itemId: 'tea', priceMinor: 1000 })],
  now: () => noon,
});
const request = {
  subject: { customerId: CustomerId.parse("O'Hara ☕") },
  channel: 'web' as const,
  placements: ['top', 'side'],
  campaign: 'süß "&" saftig',
  limit: 1,
  context: noContext,
};

async function decided(asked: DecideRequest): Promise<LoggedDecision> {
  const logged = loggedForm((await decide(asked, deps)).decision);
  if (logged === undefined) throw new Error('the decision has no id');
  return logged;
}

/** As Redis has it for a month: what was expected to be paid is one sum. */
function outlined({ decisionId, customerId, channel, decidedAt, placements }: LoggedDecision) {
  return {
    decisionId,
    customerId,
    channel,
    decidedAt,
    placements: placements.map(({ offers }) => ({
      offers: offers.map(({ offerId, offerVersion, benefit, redeemableUntil, heldSince, terms }) => ({
        offerId,
        offerVersion,
        benefit,
        ...(redeemableUntil !== undefined && { redeemableUntil }),
        ...(heldSince !== undefined && { heldSince }),
        terms: {
          costWhenAcceptedMinor: Math.round(
            (terms?.costWhenAcceptedMinor ?? 0) + (terms?.costWhenMadeMinor ?? 0),
          ),
          costWhenMadeMinor: 0,
        },
      })),
    })),
  };
}

test('a logged decision reaches the lake as it was, however often it was logged', async () => {
  const decision = await decided({ ...request, placements: ['top'] });
  await logDecision(decision, deps);
  await logDecision(decision, deps);
  await drainAll({
    redis,
    keys,
    lake,
    recordStore: deps.records,
    now: () => noon,
    tombstones: nobodyErased(keys),
    onEvents: undefined,
  });

  const reader = await lake.connection.runAndReadAll(
    `SELECT DISTINCT ON ("decisionId") *, epoch_ms("decidedAt") AS "at" FROM ${lake.from('decisions')}`,
  );
  const rows = reader.getRowObjects();
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    decisionId: decision.decisionId,
    customerId: "O'Hara ☕",
    sessionId: null,
    channel: 'web',
    campaign: 'süß "&" saftig',
    at: BigInt(noon),
  });
  expect(JSON.parse(String(rows[0]?.json))).toEqual(decision);
  expect(decision.placements[0]?.offers[0]?.terms?.orderMinor).toBe(1000);
  const [passedOver] = decision.excluded;
  expect(passedOver).toMatchObject({ offerId: 'ten', reasonCode: 'outranked' });
  expect(passedOver?.expectedValue).toBeLessThan(decision.placements[0]?.offers[0]?.expectedValue ?? 0);
  expect(await timesMade(redis, keys)).toEqual({ five: 1 });
});

test('a logged decision can be read; one that was never logged cannot', async () => {
  const decision = await decided(request);
  expect(await readOutline(decision.decisionId, deps)).toBeUndefined();
  await logDecision(decision, deps);
  expect(await readOutline(decision.decisionId, deps)).toEqual(outlined(decision));
});

test('what explains a decision waits in the event stream until the lake has it', async () => {
  const decision = await decided({ ...request, placements: ['top'] });
  await logDecision(decision, deps);
  expect(await readWaiting(decision.decisionId, deps)).toEqual({
    outline: outlined(decision),
    whole: decision,
  });
  await drainAll({
    redis,
    keys,
    lake,
    recordStore: deps.records,
    now: () => noon,
    tombstones: nobodyErased(keys),
    onEvents: undefined,
  });
  expect(await readWaiting(decision.decisionId, deps)).toEqual({
    outline: outlined(decision),
    whole: undefined,
  });
});

test('of many that came second, the closest are logged with their terms, all with their value', async () => {
  const { excluded, ...decision } = await decided({ ...request, placements: ['top'] });
  const terms = decision.placements[0]?.offers[0]?.terms;
  if (terms === undefined) throw new Error('no offer was made');
  const many = Array.from({ length: 20 }, (_, n) => ({
    offerId: OfferId.parse(`offer-${n}`),
    offerVersion: `${n}`.padStart(12, '0'),
    reasonCode: 'outranked' as const,
    expectedValue: n,
    terms,
  }));
  const logged = loggedForm({ ...decision, excluded: many })?.excluded ?? [];
  expect(logged.map(({ expectedValue }) => expectedValue)).toEqual([...many.keys()]);
  expect(logged.filter((one) => one.terms !== undefined).map(({ expectedValue }) => expectedValue)).toEqual([
    15, 16, 17, 18, 19,
  ]);
});

test('an offer that fills no place is not counted as made', async () => {
  const before = await timesMade(redis, keys);
  const nothing = await decided({ ...request, channel: 'email' });
  await logDecision(nothing, deps);
  expect(await timesMade(redis, keys)).toEqual(before);
});

test('a month of outlines shares keys, which expire; one is as short as Redis packs it', async () => {
  const logged = await decided({ ...request, placements: ['top'] });
  await logDecision(logged, deps);
  const { key, field } = outlinePlace(logged.decisionId, keys);
  expect((await redis.hgetBuffer(key, field))?.length).toBeLessThan(64);
  expect(await redis.object('ENCODING', key)).toBe('listpack');
  const ttl = await redis.ttl(key);
  expect(ttl).toBeGreaterThan(29 * 86_400);
  expect(ttl).toBeLessThanOrEqual(30 * 86_400);
  // Another of the same digits and day, in the same hash.
  const other = `${logged.decisionId.slice(0, 24)}${'f'.repeat(6)}${logged.decisionId.slice(-6)}`;
  await logDecision({ ...logged, decisionId: other }, deps);
  expect(outlinePlace(other, keys).key).toBe(key);
  expect(await readOutline(other, deps)).toEqual(outlined({ ...logged, decisionId: other }));
  expect(await readOutline(logged.decisionId, deps)).toEqual(outlined(logged));
});

test('an outline is kept as long as an offer of it may be redeemed and told of, without keeping the others of its day', async () => {
  const logged = await decided({ ...request, placements: ['top'] });
  const redeemableUntil = new Date(noon + 90 * dayMs).toISOString();
  const placements = logged.placements.map((place) => ({
    ...place,
    // As if it were made now: what has been counted as made is forgotten with it.
    offers: place.offers.map(({ heldSince: _, ...offer }) => ({ ...offer, redeemableUntil })),
  }));
  const long = { ...logged, placements };
  await logDecision(long, deps);
  expect(await readOutline(long.decisionId, deps)).toEqual(outlined(long));
  const { key } = outlinePlace(long.decisionId, keys, true);
  const days = async (of: string) => (await redis.ttl(of)) / 86_400;
  expect(await days(key)).toBeGreaterThan(92.9);
  expect(await days(key)).toBeLessThanOrEqual(93);
  const usual = outlinePlace(long.decisionId, keys).key;
  expect(usual).not.toBe(key);

  // One of the same hash that need not be kept as long leaves it as it is.
  const other = `${logged.decisionId.slice(0, 24)}${'e'.repeat(6)}${logged.decisionId.slice(-6)}`;
  const shorter = placements.map((place) => ({
    ...place,
    offers: place.offers.map((offer) => ({
      ...offer,
      redeemableUntil: new Date(noon + 40 * dayMs).toISOString(),
    })),
  }));
  await logDecision({ ...logged, decisionId: other, placements: shorter }, deps);
  expect(outlinePlace(other, keys, true).key).toBe(key);
  expect(await days(key)).toBeGreaterThan(92.9);

  expect(await countOfDecision(long.decisionId, deps)).toBe(2);
  expect(await forgetDecision(long.decisionId, deps)).toBe(2);
  expect(await readOutline(long.decisionId, deps)).toBeUndefined();
});
