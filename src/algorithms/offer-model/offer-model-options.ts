/** What can be chosen about how an offer model is learnt. */
import { z } from 'zod';
import { UpliftOptions } from '../uplift/fit-uplift.ts';

/** Cheap to ask: a shop asks of 50 offers for 5,000 customers a second. */
const upliftDefaults = {
  axes: 16,
  responseAxes: 64,
  response: 'linear' as const,
  learners: ['average' as const, 'linear' as const],
  // Offers persuade those with room for another order; what is redeemed by whom tells more than what is bought anyway.
  proportionality: 0,
  // Beside what is assumed.
  averageScale: 0.03,
  calibrated: true,
};

export const OfferModelOptions = z.strictObject({
  uplift: UpliftOptions.prefault(upliftDefaults),
  /** Of the effect on leaving: small, and told by few, so that it is drawn to none. */
  churn: UpliftOptions.prefault({ ...upliftDefaults, averageScale: 0.008, scaleMax: 0.008 }),
  /** Weights of the squares of acceptance's coefficients. */
  acceptance: z
    .strictObject({
      common: z.number().min(0).default(3),
      traitAverage: z.number().min(0).default(1),
      ownAverage: z.number().min(0).default(4),
      trait: z.number().min(0).default(10),
      own: z.number().min(0).default(30),
    })
    .prefault({}),
  /** Of dismissals, which are rarer, and go by the customer rather than by the offer. */
  dismissal: z
    .strictObject({
      common: z.number().min(0).default(3),
      traitAverage: z.number().min(0).default(1),
      ownAverage: z.number().min(0).default(4),
      trait: z.number().min(0).default(100),
      own: z.number().min(0).default(300),
    })
    .prefault({}),
});
export type OfferModelOptions = z.output<typeof OfferModelOptions>;
