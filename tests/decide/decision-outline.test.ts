import { expect, test } from 'vitest';
import { newDecisionId } from '../../src/decide/decision-id.ts';
import {
  type DecisionOutline,
  entryIdLua,
  outlineAround,
  packOutline,
  unpackOutline,
} from '../../src/decide/decision-outline.ts';
import { CustomerId, OfferId, SessionId } from '../../src/domain/ids.ts';
import type { Benefit } from '../../src/domain/offer.ts';
import { redisScript } from '../../src/infra/redis-script.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();

const at = Date.UTC(2026, 10, 26, 8, 3, 1, 17);
const time = (ms: number) => new Date(at + ms).toISOString();

function outline(benefits: readonly Benefit[], change: Partial<DecisionOutline> = {}): DecisionOutline {
  return {
    decisionId: newDecisionId(at),
    customerId: CustomerId.parse('copy-00000001'),
    channel: 'email',
    decidedAt: time(3),
    placements: [
      {
        offers: benefits.map((benefit, n) => ({
          offerId: OfferId.parse(`offer-${n}`),
          offerVersion: '0123456789ab',
          benefit,
          redeemableUntil: time(14 * 86_400_000 + 3),
          terms: { costWhenAcceptedMinor: 417, costWhenMadeMinor: 0 },
        })),
      },
    ],
    ...change,
  };
}

const tenOff: Benefit = { kind: 'percentOff', percent: 10 };

test('an outline is the same again, whatever the offers are', () => {
  const benefits: Benefit[] = [
    tenOff,
    { kind: 'percentOff', percent: 12.5, maxMinor: 2000 },
    { kind: 'amountOff', amountMinor: 500 },
    { kind: 'freeDelivery', costMinor: 490 },
    { kind: 'bundle', percent: 20, maxMinor: 1000 },
    { kind: 'gift', costMinor: 300, itemId: 'i00017' as never },
    { kind: 'gift', costMinor: 300 },
    { kind: 'loyaltyPoints', points: 1000 },
    { kind: 'pointsMultiplier', factor: 2, maxPoints: 500 },
    { kind: 'pointsMultiplier', factor: 1.5 },
    { kind: 'tierTrial', tier: 'gold', days: 30, costMinor: 100 },
    { kind: 'earlyAccess', costMinor: 0 },
    { kind: 'serviceContact', form: 'call', costMinor: 400 },
    { kind: 'communityInvitation', costMinor: 20 },
    { kind: 'content' },
  ];
  const one = outline(benefits);
  const found = unpackOutline(packOutline(one, '1764150000000-17'), one.decisionId);
  expect(found).toEqual({ outline: one, entryId: '1764150000000-17' });
});

test.each([
  ['of another millisecond', `${at + 3}-0`],
  ['of a later day', `${at + 86_400_123}-130`],
  ['of a clock that is behind', `${at - 5_000_017}-16384`],
])('a script that appends the entry puts its id between the two parts: %s', async (_, entryId) => {
  const one = outline([tenOff, tenOff]);
  const [before, after] = outlineAround(one);
  const script = redisScript(`${entryIdLua} return ARGV[1] .. packedEntryId(ARGV[2], ARGV[3]) .. ARGV[4]`);
  const packed = await script(redis, [keys.eventStream], [before, entryId, Date.parse(one.decidedAt), after]);
  expect(unpackOutline(packed as Buffer, one.decisionId)).toEqual({ outline: one, entryId });
});

test('whom it was for, and what it did not tell, is the same again', () => {
  const [offer] = outline([tenOff]).placements[0]?.offers ?? [];
  if (offer === undefined) throw new Error('no offer');
  const { redeemableUntil: _until, terms: _terms, ...bare } = offer;
  const held = { ...bare, offerVersion: 'of another shop', heldSince: newDecisionId(at - 5) };
  const { customerId: _customerId, ...nobodys } = outline([]);
  for (const one of [
    outline([], { placements: [] }),
    outline([], { placements: [{ offers: [] }, { offers: [bare, held] }] }),
    outline([], { placements: [{ offers: [offer] }, { offers: [bare], fallback: true }] }),
    outline([tenOff], { decisionId: "O'Hara ☕", decidedAt: time(-70_000) }),
    { ...nobodys, sessionId: SessionId.parse('visit-1') },
    nobodys,
  ])
    expect(unpackOutline(packOutline(one, undefined), one.decisionId)).toEqual({
      outline: one,
      entryId: undefined,
    });
});

test('what was cut off, or written in another way, is none', () => {
  const one = outline([tenOff, { kind: 'serviceContact', form: 'call', costMinor: 1 }]);
  const bytes = packOutline(one, '1-1');
  for (let length = 0; length < bytes.length; length++)
    expect(unpackOutline(bytes.subarray(0, length), one.decisionId)).toBeUndefined();
  expect(unpackOutline(Buffer.concat([bytes, bytes]), one.decisionId)).toBeUndefined();
  expect(unpackOutline(Buffer.from('{"decisionId":"d"}'), 'd')).toBeUndefined();
});

test('of one offer it fits where Redis packs values', () => {
  expect(packOutline(outline([tenOff]), `${at + 1}-0`).length).toBeLessThanOrEqual(64);
});

test('a discount on an order of any value is kept', () => {
  const one = outline([tenOff]);
  const [offer] = one.placements[0]?.offers ?? [];
  if (offer === undefined) throw new Error('no offer');
  const terms = { costWhenAcceptedMinor: 6e17, costWhenMadeMinor: 0 };
  const dear = { ...one, placements: [{ offers: [{ ...offer, terms }] }] };
  const found = unpackOutline(packOutline(dear, undefined), one.decisionId);
  expect(found?.outline.placements[0]?.offers[0]?.terms?.costWhenAcceptedMinor).toBe(Number.MAX_SAFE_INTEGER);
});
