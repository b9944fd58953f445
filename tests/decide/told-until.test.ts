import { expect, test } from 'vitest';
import { reportingMs } from '../../src/decide/ledger/contact-for.ts';
import { outUntil, toldUntil } from '../../src/decide/told-until.ts';
import { dayMs } from '../../src/domain/time.ts';
import { makeOffer, noon } from '../support/offers.ts';

test('what is out may be told of for as long as it is reserved, whatever its own days are', () => {
  const call = { kind: 'serviceContact', form: 'call', costMinor: 400 };
  for (const benefit of [call, { kind: 'content' }, { kind: 'percentOff', percent: 5 }])
    for (const redeemWithinDays of [1, 57, 58, 365]) {
      const offer = makeOffer({ benefit, redeemWithinDays });
      const until = outUntil(offer, noon);
      expect(until).toBeLessThanOrEqual(noon + redeemWithinDays * dayMs);
      const redeemableUntil = benefit.kind === 'percentOff' ? new Date(until).toISOString() : undefined;
      expect(until + reportingMs).toBeLessThanOrEqual(toldUntil({ redeemableUntil }, noon));
      if (redeemWithinDays <= 57 || benefit.kind === 'percentOff')
        expect(until).toBe(noon + redeemWithinDays * dayMs);
    }
});
