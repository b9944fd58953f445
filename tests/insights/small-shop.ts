/** Five customers whose figures can be reckoned by hand, and some who must not count. */
import type { ShopEvent } from '../../src/domain/event.ts';
import type { Lake } from '../../src/history/lake.ts';
import { writeEntries } from '../../src/history/write-entries.ts';

let nextId = 0;
function event(customerId: string | null, at: string, type: string, rest: object = {}): ShopEvent {
  const whose = customerId === null ? { sessionId: 'guest' } : { customerId };
  const occurredAt = Date.parse(at.includes('T') ? `${at}Z` : `${at}T12:00:00Z`);
  return {
    type,
    eventId: `e${nextId++}`,
    occurredAt,
    channel: 'web',
    ...whose,
    ...rest,
  } as unknown as ShopEvent;
}
function bought(customerId: string | null, at: string, valueMinor: number, channel = 'web'): ShopEvent {
  const lines = [{ itemId: 'tea', quantity: 2, unitPriceMinor: valueMinor / 2 + 50, discountMinor: 100 }];
  return event(customerId, at, 'purchase', { channel, lines });
}
const attributes = (customerId: string, at: string, given: object) =>
  event(customerId, at, 'customerUpdated', { attributes: given });

/**
 * March 2026 is looked at; the 31 days before are 29 January to 28 February.
 *
 *          before            previous period             March                            in all
 *   anna   gold, north       web 1000, rates 5           2000, 3000, NPS 10                6000
 *   bert                     store 500, rates 2, complains                                  500
 *   cleo   south             app 4000, clicks            1000 − 400, rates 3, then points  4600
 *   dora                                                 700 + 300 a day, silver, 4, NPS 6 1000
 *   emil   web 900 in December                                                              900
 */
export async function writeSmallShop(lake: Lake): Promise<void> {
  const lines = [{ itemId: 'tea', quantity: 1, unitPriceMinor: 400 }];
  const events = [
    attributes('anna', '2026-01-01', { loyaltyTier: 'gold', segment: 'north' }),
    bought('anna', '2026-02-10', 1000),
    event('anna', '2026-02-11', 'rating', { rating: 1 }),
    event('anna', '2026-02-12', 'rating', { rating: 5 }),
    bought('anna', '2026-03-05', 2000),
    event('anna', '2026-03-06', 'nps', { score: 10 }),
    bought('anna', '2026-03-31T23:59:59', 3000),
    // What comes after the first of March changes no group.
    attributes('anna', '2026-03-02', { loyaltyTier: 'platinum' }),

    bought('bert', '2026-02-15', 500, 'store'),
    event('bert', '2026-02-16', 'rating', { rating: 2 }),
    event('bert', '2026-02-17', 'contact', { complaint: 'opened' }),

    attributes('cleo', '2026-02-01', { segment: 'south', consent: { email: true } }),
    bought('cleo', '2026-02-20', 4000, 'app'),
    event('cleo', '2026-02-21', 'marketingContact', { channel: 'email', outcome: 'sent' }),
    event('cleo', '2026-02-22', 'marketingContact', { channel: 'email', outcome: 'clicked' }),
    bought('cleo', '2026-03-10', 1000, 'app'),
    event('cleo', '2026-03-10T13:00:00', 'loyaltyPoints', { change: 'earned', points: 10 }),
    event('cleo', '2026-03-11', 'rating', { rating: 3 }),
    event('cleo', '2026-03-12', 'return', { lines }),

    bought('dora', '2026-03-15T09:00:00', 700),
    bought('dora', '2026-03-15T18:00:00', 300, 'store'),
    attributes('dora', '2026-03-15T19:00:00', { loyaltyTier: 'silver' }),
    event('dora', '2026-03-16', 'rating', { rating: 4 }),
    event('dora', '2026-03-17', 'nps', { score: 6 }),

    bought('emil', '2025-12-24', 900),

    // None of these counts: a first purchase after the period, a guest, somebody who only ever sent back, one who looks.
    bought('fay', '2026-04-01T00:00:00', 5000),
    bought(null, '2026-03-10', 9000),
    event('gus', '2026-03-10', 'return', { lines }),
    event('hal', '2026-03-10', 'visit'),
  ];
  await writeEntries(lake, 'import-small', { events, catalogue: [], decisions: [] });
}
