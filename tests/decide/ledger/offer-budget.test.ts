import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type BudgetedOffer, createBudgetLedger } from '../../../src/decide/ledger/offer-budget.ts';
import { Budget } from '../../../src/domain/offer.ts';
import { dayMs, hourMs } from '../../../src/domain/time.ts';
import { makeOffer } from '../../support/offers.ts';
import { keysMatching, testRedis } from '../../support/redis.ts';

const { redis, keys } = testRedis();
const ledger = createBudgetLedger(redis, keys);
const now = Date.parse('2026-06-15T12:00:00Z');
const later = now + hourMs;
/** Of a redemption. */
const knownUntil = now + 200 * dayMs;

function offerWith(budget: object, more: object = {}): BudgetedOffer {
  const { offerId } = makeOffer({ offerId: `o-${randomUUID()}` });
  return { offerId, budget: Budget.parse(budget), ...more };
}
const reserve = (offer: BudgetedOffer, id: string, costMinor = 1, at = now, expiresAt = later) =>
  ledger.reserve(offer, [{ id, costMinor }], expiresAt, at).then(([answer]) => answer);

test('what is out and what is spent never come to more than the budget', async () => {
  const offer = offerWith({ amountMinor: 1000 });
  expect(await reserve(offer, 'a', 600)).toBe('reserved');
  expect(await reserve(offer, 'b', 401)).toBe('exhausted');
  expect(await reserve(offer, 'b', 400)).toBe('reserved');
  expect(await reserve(offer, 'c', 1)).toBe('exhausted');
  // It cost less than it might have: the rest is free again.
  expect(await ledger.confirm(offer, { id: 'a', costMinor: 250, decidedAt: now, knownUntil }, now)).toBe(
    'confirmed',
  );
  expect(await reserve(offer, 'c', 350)).toBe('reserved');
  expect(await ledger.state(offer, now)).toMatchObject({
    reservedMinor: 750,
    reservedCount: 2,
    confirmedMinor: 250,
    confirmedCount: 1,
    unbudgetedCount: 0,
  });
});

test('an offer that costs nothing has a budget in count: what is out comes back, lapses, and is confirmed', async () => {
  const offer = offerWith({ count: 2 });
  expect(await reserve(offer, 'released', 0)).toBe('reserved');
  expect(await reserve(offer, 'forgotten', 0)).toBe('reserved');
  expect(await reserve(offer, 'over', 0)).toBe('exhausted');
  await ledger.release(offer.offerId, 'released', now);
  expect(await ledger.forget(offer.offerId, ['forgotten'], now)).toBe(1);
  expect(await ledger.state(offer, now)).toMatchObject({ reservedCount: 0, reservedMinor: 0 });
  expect(await reserve(offer, 'redeemed', 0)).toBe('reserved');
  expect(await reserve(offer, 'lapsing', 0, now, now + 10)).toBe('reserved');
  const redeemed = { id: 'redeemed', costMinor: 0, decidedAt: now, knownUntil };
  expect(await ledger.confirm(offer, redeemed, now)).toBe('confirmed');
  expect(await reserve(offer, 'over', 0, now + 9)).toBe('exhausted');
  expect(await ledger.state(offer, now + 10)).toMatchObject({
    reservedCount: 0,
    reservedMinor: 0,
    confirmedCount: 1,
    confirmedMinor: 0,
  });
});

test('of a customer who is forgotten what was not redeemed comes back, but what is paid when it is made stays spent', async () => {
  const call = offerWith({ amountMinor: 1000 }, { benefit: { kind: 'serviceContact' } });
  const discount = offerWith({ amountMinor: 1000 });
  for (const offer of [call, discount]) {
    await reserve(offer, 'hers', 300);
    await reserve(offer, 'his', 200);
    expect(await ledger.forget(offer.offerId, ['hers', 'unknown'], now)).toBe(1);
  }
  expect(await ledger.state(call, now)).toMatchObject({
    reservedMinor: 200,
    reservedCount: 1,
    confirmedMinor: 300,
    confirmedCount: 1,
  });
  expect(await ledger.state(discount, now)).toMatchObject({ reservedMinor: 200, confirmedMinor: 0 });
});

test('what was paid under one id is moved to another: that one’s reservation comes back, the sum stays, and a repeat is known', async () => {
  const offer = offerWith({ amountMinor: 1000 });
  const paid = (id: string) => ledger.confirm(offer, { id, costMinor: 250, decidedAt: now, knownUntil }, now);
  await reserve(offer, 'folded', 300);
  await reserve(offer, 'kept', 400);
  const out = { reservedMinor: 700, reservedCount: 2, confirmedMinor: 0, confirmedCount: 0 };
  // Nothing has been paid yet.
  await ledger.move(offer.offerId, 'folded', 'kept', now);
  expect(await ledger.state(offer, now)).toMatchObject(out);
  expect(await paid('folded')).toBe('confirmed');
  const moved = { reservedMinor: 0, reservedCount: 0, confirmedMinor: 250, confirmedCount: 1 };
  for (let n = 0; n < 2; n++) {
    await ledger.move(offer.offerId, 'folded', 'kept', now);
    expect(await ledger.state(offer, now)).toMatchObject(moved);
  }
  expect(await paid('kept')).toBe('repeated');
  // As long as any redemption is.
  expect(
    await ledger.confirm(offer, { id: 'kept', costMinor: 250, decidedAt: now, knownUntil }, knownUntil - 1),
  ).toBe('repeated');
});

test('at a higher cost a reservation takes the rest, of the period that it is in; at a lower one it stays', async () => {
  const offer = offerWith({ amountMinor: 1000, period: 'day' });
  const tomorrow = now + dayMs;
  await reserve(offer, 'a', 300, now, tomorrow + hourMs);
  await reserve(offer, 'b', 500, now, tomorrow + hourMs);
  expect(await reserve(offer, 'a', 501)).toBe('exhausted');
  expect(await reserve(offer, 'a', 500)).toBe('reserved');
  expect(await reserve(offer, 'a', 200)).toBe('reserved');
  expect(await ledger.state(offer, now)).toMatchObject({ reservedMinor: 1000, reservedCount: 2 });
  await ledger.release(offer.offerId, 'b', now);
  // The next day's budget is not asked.
  expect(await reserve(offer, 'c', 1000, tomorrow, tomorrow + hourMs)).toBe('reserved');
  expect(await reserve(offer, 'a', 1001, tomorrow)).toBe('exhausted');
  expect(await reserve(offer, 'a', 1000, tomorrow)).toBe('reserved');
  expect(await ledger.state(offer, now)).toMatchObject({ reservedMinor: 1000, reservedCount: 1 });
  expect(await ledger.state(offer, tomorrow)).toMatchObject({ reservedMinor: 1000, reservedCount: 1 });
});

test('an even pace holds for what becomes dearer', async () => {
  const offer = offerWith({ amountMinor: 1000, period: 'day', pacing: 'even' });
  await reserve(offer, 'a', 300);
  // Noon: half of it.
  expect(await reserve(offer, 'a', 501)).toBe('paced');
  expect(await reserve(offer, 'a', 500)).toBe('reserved');
});

test('redemptions may be budgeted by their number', async () => {
  const offer = offerWith({ count: 2 });
  expect(await reserve(offer, 'a', 10_000)).toBe('reserved');
  expect(await reserve(offer, 'b', 10_000)).toBe('reserved');
  expect(await reserve(offer, 'c', 0)).toBe('exhausted');
  await ledger.release(offer.offerId, 'a', now);
  expect(await reserve(offer, 'c', 0)).toBe('reserved');
});

test('a redemption at an absurd cost counts once, too', async () => {
  const offer = offerWith({ count: 5 });
  const costMinor = 6e17;
  expect(await reserve(offer, 'a', costMinor)).toBe('reserved');
  expect(await reserve(offer, 'a', costMinor)).toBe('reserved');
  const redeemed = { id: 'a', costMinor, decidedAt: now, knownUntil };
  expect(await ledger.confirm(offer, redeemed, now)).toBe('confirmed');
  expect(await ledger.confirm(offer, redeemed, now)).toBe('repeated');
  expect(await ledger.state(offer, now)).toMatchObject({ reservedCount: 0, confirmedCount: 1 });
});

test('repeats of each step change nothing', async () => {
  const offer = offerWith({ amountMinor: 1000 });
  await reserve(offer, 'a', 300);
  expect(await reserve(offer, 'a', 300)).toBe('reserved');
  await reserve(offer, 'b', 200);
  await ledger.release(offer.offerId, 'b', now);
  await ledger.release(offer.offerId, 'b', now);
  await ledger.release(offer.offerId, 'never-reserved', now);
  const redeemed = { id: 'a', costMinor: 300, decidedAt: now, knownUntil };
  expect(await ledger.confirm(offer, redeemed, now)).toBe('confirmed');
  expect(await ledger.confirm(offer, redeemed, now)).toBe('repeated');
  // Confirmed is confirmed.
  await ledger.release(offer.offerId, 'a', now);
  expect(await ledger.state(offer, now)).toMatchObject({
    reservedMinor: 0,
    confirmedMinor: 300,
    confirmedCount: 1,
  });
});

test('a redemption is known to be told again for as long as it may be, whatever else lapses meanwhile', async () => {
  const offer = offerWith({ amountMinor: 1000, period: 'day' });
  await reserve(offer, 'a', 300);
  const redeemed = { id: 'a', costMinor: 300, decidedAt: now, knownUntil };
  await ledger.confirm(offer, redeemed, now);
  const last = knownUntil - 1;
  await reserve(offer, 'b', 1, last, last + hourMs);
  expect(await ledger.confirm(offer, redeemed, last)).toBe('repeated');
  expect(await redis.pttl(keys.budgetReservations(offer.offerId))).toBeGreaterThan(knownUntil - now);
});

describe('what nobody tells of', () => {
  test('has been paid for where it is paid when it is made, and stays out of what others may take', async () => {
    const offer: BudgetedOffer = {
      ...offerWith({ amountMinor: 300, count: 3 }),
      benefit: { kind: 'serviceContact' },
    };
    for (const id of ['a', 'b', 'c']) await reserve(offer, id, 100, now, now + 10);
    // What was told of in time has cost what it has cost; what never went out is free again.
    await ledger.confirm(offer, { id: 'a', costMinor: 60, decidedAt: now, knownUntil }, now + 5);
    await ledger.release(offer.offerId, 'b', now + 5);
    const late = { id: 'c', costMinor: 20, decidedAt: now, knownUntil };
    expect(await ledger.confirm(offer, late, now + 10)).toBe('repeated');
    const paid = { confirmedMinor: 160, confirmedCount: 2, reservedMinor: 0, reservedCount: 0 };
    expect(await ledger.state(offer, now + 10)).toMatchObject(paid);
    expect(await ledger.confirm(offer, late, now + 20)).toBe('repeated');
    expect(await reserve(offer, 'd', 141, now + 20)).toBe('exhausted');
    // It is forgotten one day, and still spent.
    expect(await ledger.state(offer, now + 100 * dayMs)).toMatchObject(paid);
    expect(await redis.hexists(keys.budgetReservations(offer.offerId), 'c')).toBe(0);
  });

  test('comes back when it lapses', async () => {
    const offer = offerWith({ amountMinor: 100 });
    await reserve(offer, 'a', 100, now, now + 10);
    expect(await reserve(offer, 'b', 100, now + 9)).toBe('exhausted');
    expect(await reserve(offer, 'b', 100, now + 10)).toBe('reserved');
  });

  test('and is redeemed all the same, takes what is left; else it is counted beside the budget', async () => {
    const offer = offerWith({ amountMinor: 100 });
    await reserve(offer, 'a', 60, now, now + 10);
    await reserve(offer, 'b', 60, now + 20, now + 5000);
    // 40 are left.
    const late = { id: 'a', costMinor: 60, decidedAt: now, knownUntil };
    expect(await ledger.confirm(offer, late, now + 30)).toBe('unbudgeted');
    expect(await ledger.confirm(offer, late, now + 30)).toBe('repeated');
    expect(
      await ledger.confirm(offer, { id: 'c', costMinor: 40, decidedAt: now, knownUntil }, now + 30),
    ).toBe('confirmed');
    expect(await ledger.state(offer, now + 30)).toMatchObject({
      reservedMinor: 60,
      confirmedMinor: 40,
      unbudgetedMinor: 60,
      unbudgetedCount: 1,
    });
  });

  test('more than was reserved is counted beside the budget', async () => {
    const offer = offerWith({ amountMinor: 100 });
    await reserve(offer, 'a', 60);
    expect(await ledger.confirm(offer, { id: 'a', costMinor: 75, decidedAt: now, knownUntil }, now)).toBe(
      'confirmed',
    );
    expect(await ledger.state(offer, now)).toMatchObject({ confirmedMinor: 60, unbudgetedMinor: 15 });
  });
});

describe('periods', () => {
  const tomorrow = now + dayMs;

  test('each has a budget of its own, and what was reserved in one is confirmed in it', async () => {
    const offer = offerWith({ count: 1, period: 'day' });
    expect(await reserve(offer, 'a', 1, now, tomorrow + hourMs)).toBe('reserved');
    expect(await reserve(offer, 'b', 1, now)).toBe('exhausted');
    expect(await reserve(offer, 'b', 1, tomorrow, tomorrow + hourMs)).toBe('reserved');
    await ledger.confirm(offer, { id: 'a', costMinor: 1, decidedAt: now, knownUntil }, tomorrow);
    expect(await ledger.state(offer, now)).toMatchObject({ period: 'day:2026-06-15', confirmedCount: 1 });
    expect(await ledger.state(offer, tomorrow)).toMatchObject({ reservedCount: 1, confirmedCount: 0 });
  });

  test('an even pace lets out no more than the share of the period that has passed', async () => {
    const offer = offerWith({ count: 24, period: 'day', pacing: 'even' });
    // Noon: twelve of twenty-four.
    const many = Array.from({ length: 13 }, (_, n) => ({ id: `r${n}`, costMinor: 1 }));
    expect(await ledger.reserve(offer, many, later, now)).toEqual([...Array(12).fill('reserved'), 'paced']);
    expect(await reserve(offer, 'next', 1, now + hourMs, later + hourMs)).toBe('reserved');
  });

  test('the first of a period does not wait for its pace, however small the budget', async () => {
    const offer = offerWith({ count: 1, period: 'day', pacing: 'even' });
    const midnight = Date.parse('2026-06-15T00:00:01Z');
    expect(await reserve(offer, 'a', 1, midnight, later)).toBe('reserved');
    expect(await reserve(offer, 'b', 1, midnight, later)).toBe('exhausted');
    const large = offerWith({ amountMinor: 2000, period: 'day', pacing: 'even' });
    expect(await reserve(large, 'a', 1000, midnight, later)).toBe('reserved');
    expect(await reserve(large, 'b', 1000, midnight, later)).toBe('paced');
  });

  test('what an endless budget has spent is kept when the budget becomes one of days', async () => {
    const endless = offerWith({ amountMinor: 100 });
    await reserve(endless, 'a', 60);
    const daily = { ...endless, budget: Budget.parse({ amountMinor: 100, period: 'day' }) };
    await ledger.confirm(daily, { id: 'a', costMinor: 60, decidedAt: now, knownUntil }, now);
    expect(await redis.pttl(`${keys.budgetPeriods(endless.offerId)}total`)).toBe(-1);
    expect(await ledger.state(endless, now)).toMatchObject({ confirmedMinor: 60 });
  });

  test('all that is kept of a period that ends goes some time after it; a budget without an end is kept', async () => {
    const bounded = offerWith({ count: 1, period: 'day' });
    await reserve(bounded, 'a', 1, Date.now(), Date.now() + hourMs);
    const endless = offerWith({ count: 1 });
    await reserve(endless, 'a', 1, Date.now(), Date.now() + hourMs);
    const ttls = async (offerId: string) =>
      Promise.all((await keysMatching(redis, `*{offer:${offerId}}*`)).map((key) => redis.pttl(key)));
    const ofBounded = await ttls(bounded.offerId);
    expect(ofBounded).toHaveLength(3);
    for (const ttl of ofBounded) expect(ttl).toBeGreaterThan(60 * dayMs);
    for (const ttl of ofBounded) expect(ttl).toBeLessThan(62 * dayMs);
    expect(await ttls(endless.offerId)).toEqual([-1, -1, -1]);
  });
});

test('a budget that is lowered below what is out lets nothing new out, and breaks nothing', async () => {
  const offer = offerWith({ amountMinor: 1000 });
  await reserve(offer, 'a', 900);
  const lowered = { ...offer, budget: Budget.parse({ amountMinor: 100 }) };
  expect(await reserve(lowered, 'b', 1)).toBe('exhausted');
  expect(await ledger.confirm(lowered, { id: 'a', costMinor: 900, decidedAt: now, knownUntil }, now)).toBe(
    'confirmed',
  );
});

test('an offer without a budget may be made as often as one likes', async () => {
  const { offerId } = offerWith({ count: 1 });
  expect(await reserve({ offerId }, 'a', 10)).toBe('reserved');
  expect(await keysMatching(redis, `*{offer:${offerId}}*`)).toEqual([]);
});

test('of many at once, those that come first are reserved as far as the budget goes', async () => {
  const offer = offerWith({ amountMinor: 500 });
  const wanted = [200, 200, 200, 100].map((costMinor, n) => ({ id: `m${n}`, costMinor }));
  expect(await ledger.reserve(offer, wanted, later, now)).toEqual([
    'reserved',
    'reserved',
    'exhausted',
    'reserved',
  ]);
});

test('thousands that lapse together come back together', async () => {
  const offer = offerWith({ count: 2000 });
  for (let batch = 0; batch < 4; batch++) {
    const some = Array.from({ length: 500 }, (_, n) => ({ id: `${batch}-${n}`, costMinor: 1 }));
    await ledger.reserve(offer, some, now + 10, now);
  }
  expect(await reserve(offer, 'one-more', 1, now)).toBe('exhausted');
  expect(await reserve(offer, 'one-more', 1, now + 10)).toBe('reserved');
  expect(await ledger.state(offer, now + 10)).toMatchObject({ reservedCount: 1 });
});
