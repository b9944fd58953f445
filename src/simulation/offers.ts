/**
 * The offers of the simulated shop, on different channels, for different customers: every kind of benefit that an offer may
 * have, and content as the fallback.
 */

import type { OfferInput } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import type { Calendar } from './calendar.ts';
import type { SimulatedItem } from './catalogue.ts';

/** `bundleOf`: names of categories, the staple of each being an item of the bundle. */
type OfferDraft = Omit<OfferInput, 'offerId' | 'validFrom' | 'validTo' | 'content'> & {
  headline: string;
  bundleOf?: readonly string[];
};

/** How long after the history's end the offers stay valid: a service that starts on it has offers to make. */
const VALID_DAYS = 365;

/** Offers about a category are left out where the shop has no such category, and a bundle where one of its parts is missing. */
export function simulatedOffers(
  calendar: Calendar,
  {
    categories,
    items,
  }: {
    categories: readonly { name: string }[];
    items: readonly Pick<
      SimulatedItem,
      'itemId' | 'category' | 'popularity' | 'gapDays' | 'availableFrom' | 'availableTo' | 'inStock'
    >[];
  },
): OfferInput[] {
  const validFrom = new Date(calendar.startAt).toISOString();
  const validTo = new Date(calendar.endAt + VALID_DAYS * dayMs).toISOString();
  const isSold = (name: string) => categories.some((category) => category.name === name);
  const stapleOf = (name: string) =>
    items
      .filter((item) => categories[item.category]?.name === name && isStaple(item))
      .reduce<(typeof items)[number] | undefined>(
        (best, item) => (best === undefined || item.popularity > best.popularity ? item : best),
        undefined,
      )?.itemId;
  return DRAFTS.flatMap(([offerId, { headline, bundleOf = [], ...draft }]) => {
    if (!(draft.categories?.every(isSold) ?? true)) return [];
    const itemIds = bundleOf.flatMap((name) => stapleOf(name) ?? []);
    if (itemIds.length < bundleOf.length) return [];
    const validity = draft.fallback === true ? {} : { validFrom, validTo };
    const about = itemIds.length > 0 ? { itemIds } : {};
    return [{ offerId, ...draft, ...about, ...validity, content: { headline } } as OfferInput];
  });
}

/** Runs out, and is sold all along: one that somebody may want however often she has bought it. */
function isStaple({
  gapDays,
  availableFrom,
  availableTo,
  inStock,
}: Pick<SimulatedItem, 'gapDays' | 'availableFrom' | 'availableTo' | 'inStock'>): boolean {
  return (
    gapDays > 0 &&
    availableFrom === Number.NEGATIVE_INFINITY &&
    availableTo === Number.POSITIVE_INFINITY &&
    inStock
  );
}

const DRAFTS: readonly (readonly [string, OfferDraft])[] = [
  [
    'welcome-second-order',
    {
      name: '10 % off the second order',
      headline: 'Thank you for your first order: 10 % off the next one',
      benefit: { kind: 'percentOff', percent: 10 },
      channels: ['email', 'web', 'app'],
      eligibility: { feature: 'purchaseCount', eq: 1 },
      priorityLever: 1.2,
    },
  ],
  [
    'free-delivery',
    {
      name: 'Free delivery',
      headline: 'Your next delivery is on us',
      benefit: { kind: 'freeDelivery', costMinor: 490 },
      channels: ['web', 'app', 'email'],
      eligibility: { attribute: 'tier', in: ['none', 'bronze'] },
    },
  ],
  [
    'win-back-15',
    {
      name: '15 % off to come back',
      headline: 'We have missed you: 15 % off everything',
      benefit: { kind: 'percentOff', percent: 15 },
      channels: ['email', 'phone'],
      retention: true,
      eligibility: { feature: 'daysSinceLastOrder', gte: 60 },
      priorityLever: 1.3,
    },
  ],
  [
    'big-basket-10-euro',
    {
      name: '10 off a large order',
      headline: '10 off when you treat yourself',
      benefit: { kind: 'amountOff', amountMinor: 1000 },
      channels: ['web', 'app', 'store', 'email'],
      eligibility: { feature: 'averageOrderValueMinor', gte: 6000 },
    },
  ],
  [
    'double-points',
    {
      name: 'Double points',
      headline: 'Double points on everything this week',
      benefit: { kind: 'loyaltyPoints', points: 300 },
      channels: ['app', 'email', 'store'],
      eligibility: { attribute: 'tier', notIn: ['none'] },
    },
  ],
  [
    'gold-thank-you',
    {
      name: 'Thank-you bonus for gold and platinum',
      headline: 'For our best customers: 900 points',
      benefit: { kind: 'loyaltyPoints', points: 900 },
      channels: ['email', 'app', 'phone'],
      retention: true,
      eligibility: { attribute: 'tier', in: ['gold', 'platinum'] },
    },
  ],
  [
    'coffee-refill',
    {
      name: '12 % off coffee and tea',
      headline: 'Running low? 12 % off coffee and tea',
      benefit: { kind: 'percentOff', percent: 12 },
      categories: ['Coffee & Tea'],
      channels: ['web', 'app', 'email', 'store'],
    },
  ],
  [
    'pet-pantry',
    {
      name: '3 off pet food',
      headline: '3 off for hungry friends',
      benefit: { kind: 'amountOff', amountMinor: 300 },
      categories: ['Pet Food'],
      channels: ['web', 'app', 'email'],
    },
  ],
  [
    'fashion-week',
    {
      name: '20 % off fashion',
      headline: 'New season: 20 % off fashion',
      benefit: { kind: 'percentOff', percent: 20 },
      categories: ['Fashion for Women', 'Fashion for Men'],
      channels: ['web', 'app', 'email'],
      placements: ['hero', 'email-top'],
    },
  ],
  [
    'north-store-evening',
    {
      name: 'Free delivery from the stores in the north',
      headline: 'Bought in the store, brought to your door',
      benefit: { kind: 'freeDelivery', costMinor: 690 },
      channels: ['store', 'web'],
      eligibility: { attribute: 'segment', in: ['north'] },
    },
  ],
  [
    'make-it-right',
    {
      name: 'A call from customer care',
      headline: 'Let us make it right',
      benefit: { kind: 'serviceContact', costMinor: 350 },
      channels: ['phone', 'email'],
      retention: true,
      eligibility: { feature: 'openComplaints', gte: 1 },
      priorityLever: 2,
    },
  ],
  [
    'sorry-we-were-late',
    {
      name: 'An apology for a late delivery',
      headline: 'That took too long. We are sorry',
      benefit: { kind: 'serviceContact', form: 'apology', costMinor: 100 },
      channels: ['email'],
      retention: true,
      eligibility: { feature: 'recentLateDeliveries', gte: 0.3 },
    },
  ],
  [
    'tasting-evening',
    {
      name: 'An evening in the store',
      headline: 'You are invited: an evening among friends of the shop',
      benefit: { kind: 'communityInvitation', costMinor: 200 },
      channels: ['email', 'app', 'store'],
    },
  ],
  [
    'surprise-in-the-parcel',
    {
      name: 'A surprise with the next order',
      headline: 'Something extra in your next parcel',
      benefit: { kind: 'gift', costMinor: 250 },
      channels: ['email', 'web', 'app'],
      eligibility: { feature: 'purchaseCount', gte: 2 },
    },
  ],
  [
    'what-is-new',
    {
      name: 'What is new',
      headline: 'See what is new this week',
      benefit: { kind: 'content' },
      channels: ['web', 'store', 'app', 'email', 'phone'],
      fallback: true,
    },
  ],
  // Tastes are drawn in this order: what is new comes last, so that nobody's liking of the others changes.
  [
    'coffee-and-sweets',
    {
      name: '15 % off coffee and sweets together',
      headline: 'A pair for the afternoon: 15 % off both',
      benefit: { kind: 'bundle', percent: 15 },
      bundleOf: ['Coffee & Tea', 'Snacks & Sweets'],
      channels: ['email', 'web', 'app'],
    },
  ],
  [
    'triple-points-weekend',
    {
      name: 'Triple points on one order',
      headline: 'This weekend every point counts three times',
      benefit: { kind: 'pointsMultiplier', factor: 3, maxPoints: 1000 },
      channels: ['email', 'app', 'store'],
      eligibility: { attribute: 'tier', notIn: ['none'] },
    },
  ],
  [
    'silver-for-a-month',
    {
      name: 'Silver for a month',
      headline: 'Try it: a month of everything that silver gives',
      benefit: { kind: 'tierTrial', tier: 'silver', days: 30, costMinor: 400 },
      channels: ['email', 'app'],
      eligibility: {
        all: [
          { attribute: 'tier', in: ['none', 'bronze'] },
          { feature: 'purchaseCount', gte: 3 },
        ],
      },
    },
  ],
  [
    'first-look',
    {
      name: 'A first look at what is coming',
      headline: 'For you before anybody else: the new collection',
      benefit: { kind: 'earlyAccess', costMinor: 100 },
      channels: ['email', 'app', 'web'],
      eligibility: { attribute: 'tier', in: ['silver', 'gold', 'platinum'] },
    },
  ],
];
