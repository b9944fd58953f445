/** Fifty offers of every kind, about the whole shop or one of its categories: what a decision chooses from. */
import { Offer } from '../../domain/offer.ts';

const kinds = [
  (n: number) => ({ kind: 'percentOff', percent: 3 + (n % 8), maxMinor: 3000 }),
  (n: number) => ({ kind: 'amountOff', amountMinor: 200 + 50 * (n % 7) }),
  () => ({ kind: 'freeDelivery', costMinor: 490 }),
  (n: number) => ({ kind: 'loyaltyPoints', points: 50 + 25 * (n % 5) }),
  () => ({ kind: 'gift', costMinor: 150 }),
] as const;

const rules = [
  undefined,
  { feature: 'daysSinceLastOrder', gt: 20 },
  {
    all: [
      { feature: 'purchaseCount', gte: 2 },
      { attribute: 'tier', in: ['none', 'bronze', 'silver'] },
    ],
  },
  {
    any: [
      { feature: 'discountShare', gt: 0.1 },
      { feature: 'openComplaints', gte: 1 },
    ],
  },
] as const;

export function benchOffers(count = 50): Offer[] {
  return Array.from({ length: count }, (_, n) =>
    Offer.parse({
      offerId: `offer-${String(n).padStart(3, '0')}`,
      name: `Offer ${n}`,
      benefit: kinds[n % kinds.length]?.(n),
      channels: ['web', 'email', 'app'],
      eligibility: rules[n % rules.length],
      // By e-mail hardly any other offer is worth the annoyance that is assumed, and a list that makes none measures little.
      retention: n % 3 === 0,
      content: { headline: `Offer no. ${n}`, image: `https://shop.example/offers/${n}.png` },
      ...(n === count - 1 && { benefit: { kind: 'content' }, eligibility: undefined, fallback: true }),
    }),
  );
}
