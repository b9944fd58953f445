/**
 * A body of each call that takes one, as `/docs` shows it and sends it at "Try it out": out of the README's demo shop. Without
 * them a page would make up ids of random characters. Tests hold each to the schema of its call.
 */

const filter = {
  itemId: 'i00901',
  name: 'Elm Street Filter',
  category: 'Coffee & Tea',
  priceMinor: 890,
  tags: ['organic'],
};

const winBack = {
  name: '10 % off, at most 20.00, for who has not ordered for 60 days',
  benefit: { kind: 'percentOff', percent: 10, maxMinor: 2000 },
  channels: ['web', 'email'],
  eligibility: { all: [{ feature: 'daysSinceLastOrder', gt: 60 }] },
  budget: { amountMinor: 500_000, period: 'month' },
  content: { headline: 'We have missed you: 10 % off' },
};

const { itemId: _, ...filterBody } = filter;

/** By method and path. */
export const BODY_EXAMPLES: Readonly<Record<string, unknown>> = {
  'POST /events': {
    type: 'purchase',
    eventId: 'order-1001',
    customerId: 'c0000002',
    channel: 'web',
    orderId: '1001',
    lines: [{ itemId: 'i00004', quantity: 1, unitPriceMinor: 1599 }],
  },
  'POST /items': [filter],
  'PUT /items/{itemId}': filterBody,
  'POST /customers': [
    { customerId: 'c0000002', consent: { email: true }, loyaltyTier: 'gold' },
    { customerId: 'c0000003', consent: { email: false, phone: true } },
  ],
  'PUT /customers/{customerId}': {
    loyaltyTier: 'gold',
    consent: { email: true },
    segment: 'north',
    timeZone: 'Europe/Berlin',
  },
  'POST /offers': [{ offerId: 'spring-10', ...winBack }],
  'PUT /offers/{offerId}': winBack,
  'POST /offers/decide': {
    customerId: 'c0000002',
    channel: 'web',
    placements: ['hero'],
    dryRun: true,
    explain: true,
  },
  'POST /decisions/{decisionId}/outcomes': { offerId: 'spring-10', outcome: 'redeemed', valueMinor: 4500 },
  'POST /offers/batch': { campaign: 'spring', channel: 'email', segment: 'north', format: 'csv' },
  'POST /models/{name}/promote': { version: '20261126T160046Z-744ad50b' },
  'POST /jobs': { job: 'train-churn' },
  'POST /webhooks/replay': { all: true },
};
