/** The one offer of a shop: money off, on the page and in the shop, twice at most, with a budget that no test uses up. */
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { TestService } from './service.ts';

export const fiveOff = {
  offerId: 'five-off',
  name: 'Five off',
  benefit: { kind: 'amountOff', amountMinor: 500 },
  channels: ['web', 'store'],
  budget: { amountMinor: 100_000 },
  caps: [{ of: 'redeemed', times: 2, days: 30 }],
};

/** Until the service decides by it: it follows the catalogue. */
export async function offerFiveOff(service: TestService): Promise<void> {
  await service.call('POST', '/offers', [fiveOff]);
  await eventually(async () => {
    const { body } = await service.call('POST', '/offers/decide', {
      customerId: 'nobody',
      channel: 'web',
      dryRun: true,
    });
    expect(body.placements[0].offers.length + body.excluded.length).toBe(1);
  });
}
