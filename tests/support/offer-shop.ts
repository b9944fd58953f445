/**
 * A shop whose one discount is known: customers who have always bought at a discount are persuaded by it, those who never have order anyway
 * and redeem it, which costs and brings nothing. Offers were drawn with the logged probabilities.
 */
import { createRng } from '../../src/algorithms/rng.ts';
import { LoggedDecision } from '../../src/decide/decision-log.ts';
import type { ShopEvent } from '../../src/domain/event.ts';
import type { DecisionEntry } from '../../src/domain/log-entry.ts';
import { Offer } from '../../src/domain/offer.ts';
import { dayMs } from '../../src/domain/time.ts';
import type { Lake } from '../../src/history/lake.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { contentVersion } from '../../src/offers/content-version.ts';

export const tenOff = Offer.parse({
  offerId: 'ten-off',
  name: '10 % off',
  benefit: { kind: 'percentOff', percent: 10 },
  channels: ['web'],
  redeemWithinDays: 10,
});
/** P(order within the window): of hunters without and with the offer; of others either way. Those who order redeem. */
export const truth = { hunterAlone: 0.1, hunterOffered: 0.6, other: 0.5 };
export const offerShopStart = Date.UTC(2026, 0, 1);
/** First instant after everything that is known. */
export const offerShopEnd = offerShopStart + 200 * dayMs;
const offeredShare = 0.4;
const decisionsEach = 4;

export type OfferShop = {
  events: ShopEvent[];
  decisions: DecisionEntry['decision'][];
  hunters: ReadonlySet<string>;
};

export function offerShop(customers: number, seed: number): OfferShop {
  const events: ShopEvent[] = [];
  const decisions: DecisionEntry['decision'][] = [];
  const hunters = new Set<string>();
  for (let n = 0; n < customers; n++) {
    const rng = createRng(seed, 'offer shop', n);
    const customerId = `c${n}`;
    const isHunter = rng.chance(0.5);
    if (isHunter) hunters.add(customerId);
    let orders = 0;
    const order = (at: number) => {
      const discountMinor = isHunter ? 500 : 0;
      events.push({
        type: 'purchase',
        eventId: `${customerId}-o${orders++}`,
        customerId,
        occurredAt: Math.floor(at),
        channel: 'web',
        lines: [{ itemId: 'i1', quantity: 1, unitPriceMinor: 5000, discountMinor, category: 'tea' }],
      } as ShopEvent);
    };
    for (let o = 0; o < 3; o++) order(offerShopStart + (10 + 25 * o + 20 * rng.next()) * dayMs);
    for (let d = 0; d < decisionsEach; d++) {
      const at = offerShopStart + (100 + 25 * d + rng.nextInt(5)) * dayMs;
      const offered = rng.chance(offeredShare);
      const decisionId = `${customerId}-d${d}`;
      decisions.push(decisionOf(decisionId, customerId, at, offered));
      const orderProbability = isHunter ? (offered ? truth.hunterOffered : truth.hunterAlone) : truth.other;
      if (!rng.chance(orderProbability)) continue;
      const orderedAt = at + rng.next() * 9 * dayMs;
      order(orderedAt);
      if (offered)
        events.push({
          type: 'offerOutcome',
          eventId: `${decisionId}-r`,
          customerId,
          occurredAt: Math.floor(orderedAt) + 1,
          channel: 'web',
          decisionId,
          offerId: tenOff.offerId,
          outcome: 'redeemed',
        } as ShopEvent);
    }
  }
  // So that it is known that nothing else happened until then.
  events.push({
    type: 'visit',
    eventId: 'last',
    customerId: 'c0',
    occurredAt: offerShopEnd - 1,
    channel: 'web',
  } as ShopEvent);
  return { events, decisions, hunters };
}

export function decisionOf(
  decisionId: string,
  customerId: string,
  at: number,
  offered: boolean,
): DecisionEntry['decision'] {
  const { offerId, name, benefit } = tenOff;
  const made = {
    offerId,
    offerVersion: contentVersion(tenOff),
    name,
    benefit,
    expectedValue: 0,
    acceptPropensity: 0,
    uplift: 0,
    reasons: ['explored' as const],
    content: {},
  };
  return LoggedDecision.parse({
    decisionId,
    customerId,
    channel: 'web',
    currency: 'EUR',
    decidedAt: new Date(at).toISOString(),
    placements: [
      {
        placement: 'hero',
        offers: offered ? [made] : [],
        fallback: false,
        loggingPropensity: offered ? offeredShare : 1 - offeredShare,
      },
    ],
    excluded: [],
    fallback: false,
    experiment: null,
    modelVersions: {},
    policyVersion: '0',
    degraded: false,
  });
}

export function writeOfferShop(lake: Lake, { events, decisions }: OfferShop): Promise<void> {
  return writeEntries(lake, 'import-offer-shop', {
    events,
    decisions,
    catalogue: [
      {
        kind: 'item',
        item: { itemId: 'i1', name: 'Tea', category: 'tea', priceMinor: 5000, marginMinor: 1500, tags: [] },
        at: offerShopStart,
      },
      { kind: 'offer', offer: tenOff, at: offerShopStart },
    ] as Parameters<typeof writeEntries>[2]['catalogue'],
  });
}
