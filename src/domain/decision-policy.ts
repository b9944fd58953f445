/**
 * How the shop decides, apart from its offers: whom it may contact how often, what contacts and points cost, how much it
 * explores, and what it tries. One JSON file (DECISION_POLICY_FILE); absent, every field has a default that serves a
 * small shop.
 */
import { z } from 'zod';
import { Channel } from './channel.ts';
import { OfferId } from './ids.ts';
import { ModelVersion } from './manifest.ts';
import { TimeZone } from './time-zone.ts';

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 21:30');
const money = z.number().min(0).max(1_000_000_000_000);
const label = z.string().regex(/^[a-z][a-z0-9-]{0,49}$/, 'must be lower-case words with hyphens');

/** No offer goes out between `from` and `to` of the customer's own clock; `from` after `to` runs over midnight. */
const QuietHours = z
  .strictObject({
    channels: z.array(Channel).min(1).max(10),
    from: clockTime,
    to: clockTime,
  })
  .refine(({ from, to }) => from !== to, { error: 'must differ from `from`', path: ['to'] });

/** Contacts that a customer may have within a sliding window, on these channels together; none named = on all that contact. */
export const ContactCap = z.strictObject({
  channels: z.array(Channel).min(1).max(10).optional(),
  times: z.int().min(1).max(1000),
  days: z.int().min(1).max(366),
});
export type ContactCap = z.output<typeof ContactCap>;

export const ContactPolicy = z.strictObject({
  /** What one contact costs, minor units (may be a fraction: a message of e-mail does). */
  costMinor: z.partialRecord(Channel, money).default({ email: 0.1, phone: 300 }),
  /** Of customers of whom none is known. */
  timeZone: TimeZone.default('UTC'),
  quietHours: z
    .array(QuietHours)
    .max(20)
    .default([{ channels: ['phone'], from: '20:00', to: '09:00' }]),
  caps: z
    .array(ContactCap)
    .max(20)
    .default([
      { channels: ['email'], times: 3, days: 7 },
      { channels: ['phone'], times: 1, days: 30 },
    ]),
  /** Between two contacts on channels where the shop goes to the customer. */
  minGapHours: z.number().min(0).max(8784).default(12),
  /**
   * An offer that was dismissed is not made again for `suppressDays`; after `times` dismissals within `withinDays`, no offer is
   * for as long.
   */
  dismissals: z
    .strictObject({
      times: z.int().min(1).max(100).default(3),
      withinDays: z.int().min(1).max(366).default(30),
      suppressDays: z.int().min(0).max(366).default(30),
    })
    .prefault({}),
  /** After a rating below `below`, nothing is sold for so many days: 0 days = no such rule. */
  lowRating: z
    .strictObject({
      below: z.number().min(1).max(5).default(3),
      days: z.int().min(0).max(366).default(14),
    })
    .prefault({}),
  /** A customer with a discount that may still be redeemed gets no other. */
  oneDiscountAtATime: z.boolean().default(true),
});
export type ContactPolicy = z.output<typeof ContactPolicy>;

export const EXPLORATION_METHODS = ['thompson', 'epsilonGreedy', 'none'] as const;

const explorationFields = {
  method: z.enum(EXPLORATION_METHODS),
  /** With epsilonGreedy: share of decisions that are drawn evenly from all that may be made. */
  epsilon: z.number().min(0).max(1),
  /** What exploring may cost a day in expectation (UTC), minor units; beyond, the best is done. null = no bound. */
  maxCostMinorPerDay: money.nullable(),
};

export const Exploration = z.strictObject({
  ...explorationFields,
  method: explorationFields.method.default('thompson'),
  epsilon: explorationFields.epsilon.default(0.05),
  // A shop that says nothing of it is to learn something and lose little.
  maxCostMinorPerDay: explorationFields.maxCostMinorPerDay.default(10_000),
});
export type Exploration = z.output<typeof Exploration>;

/**
 * How candidates are ranked: by value in money, by acceptance among what is worth more than nothing, evenly at random (within
 * the exploration bound, beyond which by value), or nothing is made at all.
 */
export const RANKINGS = ['value', 'response', 'random', 'nothing'] as const;

const weight = z.number().min(0).max(10);

/** How much of what an offer brings counts; what it costs is a fact, and no matter of weighing. */
const valueWeights = {
  /** Multiplies the margin of the purchases that an offer brings. */
  marginWeight: weight,
  /**
   * Multiplies what a customer is yet to bring, who stays: below 1, the future counts less than the customer value model
   * discounts it.
   */
  lifetimeValueWeight: weight,
};
export type ValueWeights = { marginWeight: number; lifetimeValueWeight: number };

/**
 * What of the contact policy a variant may change. The shop's policy is the law: it holds for everybody, and what a variant says
 * comes on top.
 */
const VariantContact = z.strictObject({
  quietHours: z.array(QuietHours).max(20).optional(),
  caps: z.array(ContactCap).max(20).optional(),
  minGapHours: ContactPolicy.shape.minGapHours.unwrap().optional(),
  dismissals: z.strictObject({ suppressDays: z.int().min(0).max(366) }).optional(),
  lowRating: z.strictObject({ days: z.int().min(0).max(366) }).optional(),
  oneDiscountAtATime: z.boolean().optional(),
});
type VariantContact = z.output<typeof VariantContact>;

/** What a variant changes; what is absent stays as it is for everybody. */
export const ExperimentVariant = z.strictObject({
  name: label,
  /** Its share is weight over the sum of the weights. */
  weight: z.number().gt(0).max(1000).default(1),
  ranking: z.enum(RANKINGS).optional(),
  /** Field by field. Without defaults: a field that is absent is the policy's. */
  exploration: z.strictObject(explorationFields).partial().optional(),
  /** Multiplies an offer's own lever. */
  levers: z.record(OfferId, z.number().min(0).max(100)).optional(),
  withoutOffers: z.array(OfferId).max(1000).optional(),
  /** Versions of models other than those served. */
  offerModel: ModelVersion.optional(),
  churnModel: ModelVersion.optional(),
  valueModel: ModelVersion.optional(),
  contact: VariantContact.optional(),
  /** Field by field, in the place of the policy's. */
  economics: z.strictObject(valueWeights).partial().optional(),
  /** false: a place in which nothing is worth making stays empty. */
  fallback: z.boolean().optional(),
  /** For `/recommendations`: a version of the collaborative model other than the one served. */
  collaborativeModel: ModelVersion.optional(),
  /** For `/recommendations`: the scenario that stands in for the one asked. */
  scenarios: z.record(z.string().max(50), z.string().max(50)).optional(),
});
export type ExperimentVariant = z.output<typeof ExperimentVariant>;

export const Experiment = z
  .strictObject({
    name: label,
    from: z.iso.datetime({ offset: true }),
    to: z.iso.datetime({ offset: true }).optional(),
    /** Share of the customers who take part. */
    share: z.number().gt(0).max(1).default(1),
    /** The first is what the others are compared with. */
    variants: z.array(ExperimentVariant).min(2).max(10),
  })
  .check(
    z.refine(({ from, to }) => !(Date.parse(from) >= Date.parse(to ?? '')), {
      error: 'must be later than `from`',
      path: ['to'],
    }),
    z.refine(({ variants }) => new Set(variants.map(({ name }) => name)).size === variants.length, {
      error: 'must have names of their own',
      path: ['variants'],
    }),
  );
export type Experiment = z.output<typeof Experiment>;

const policyFields = z.strictObject({
  contact: ContactPolicy.prefault({}),
  economics: z
    .strictObject({
      /** What a point is worth when it is redeemed, minor units. */
      pointValueMinor: money.default(1),
      /** Points that an order earns for each whole unit of the currency. */
      pointsPerCurrencyUnit: z.number().min(0).max(1000).default(1),
      marginWeight: valueWeights.marginWeight.default(1),
      lifetimeValueWeight: valueWeights.lifetimeValueWeight.default(1),
    })
    .prefault({}),
  /** Universal holdout: share of the customers who get no offer at all, so that the sum of all offers can be judged. */
  controlGroupShare: z.number().min(0).max(0.5).default(0),
  /** Does the fallback stand in for them? By default they are shown nothing, wherever they are. */
  controlGroupFallback: z.boolean().default(false),
  exploration: Exploration.prefault({}),
  experiments: z
    .array(Experiment)
    .max(20)
    .refine(
      (list) => new Set(list.map(({ name }) => name)).size === list.length,
      'must have names of their own',
    )
    .default([]),
});

export const DecisionPolicy = policyFields.superRefine((policy, ctx) => {
  for (const [e, { variants }] of policy.experiments.entries())
    for (const [v, { contact }] of variants.entries())
      for (const { field, message } of contact === undefined ? [] : looserThan(policy.contact, contact))
        ctx.addIssue({
          code: 'custom',
          input: contact,
          path: ['experiments', e, 'variants', v, 'contact', ...field],
          message,
        });
});
export type DecisionPolicy = z.output<typeof DecisionPolicy>;
export type DecisionPolicyInput = z.input<typeof DecisionPolicy>;

/** Where a variant would protect less than the policy does. Quiet hours and caps come on top, so that they cannot. */
function looserThan(law: ContactPolicy, variant: VariantContact): { field: string[]; message: string }[] {
  const cure =
    'a variant can only protect customers more. Let the policy have the looser rule, and the other variants the stricter one';
  const shorter = (field: string[], own: number | undefined, least: number) =>
    own !== undefined && own < least
      ? [{ field, message: `must not be below the policy's ${least}: ${cure}` }]
      : [];
  return [
    ...shorter(['minGapHours'], variant.minGapHours, law.minGapHours),
    ...shorter(['dismissals', 'suppressDays'], variant.dismissals?.suppressDays, law.dismissals.suppressDays),
    ...shorter(['lowRating', 'days'], variant.lowRating?.days, law.lowRating.days),
    ...(law.oneDiscountAtATime && variant.oneDiscountAtATime === false
      ? [{ field: ['oneDiscountAtATime'], message: `must not be false where the policy's is true: ${cure}` }]
      : []),
  ];
}

/**
 * Channels on which the shop goes to the customer: an offer there needs the customer's consent and counts as a contact. On
 * the others (web, store, app) the customer has come to the shop.
 */
export const CONTACT_CHANNELS: ReadonlySet<string> = new Set(['email', 'phone'] satisfies Channel[]);
