/** Experiments: which there are, and what they have done so far. */
import { z } from 'zod';
import { listVersions } from '../../decide/offer-versions.ts';
import { ExperimentVariant } from '../../domain/decision-policy.ts';
import { AppError } from '../../domain/errors.ts';
import { OfferId } from '../../domain/ids.ts';
import { Currency } from '../../domain/money.ts';
import type { ReadoutQuestion } from '../../insights/experiments/questions.ts';
import { EXPERIMENT_STATES, Readout, stateOf } from '../../insights/experiments/readout.ts';
import { Day, periodFaults } from '../../insights/period.ts';
import type { Deps } from '../deps.ts';
import { defineRoute } from '../route.ts';

const Answer = Readout.extend({
  currency: Currency,
  /** When the figures were read from the lake. */
  computedAt: z.iso.datetime(),
}).meta({ id: 'ExperimentReadout' });

const List = z
  .object({
    /** Share of the customers who get no offer at all and take part in no experiment. */
    controlGroupShare: z.number(),
    experiments: z.array(
      z.object({
        name: z.string(),
        state: z.enum(EXPERIMENT_STATES),
        from: z.string(),
        to: z.string().optional(),
        /** Of the customers who take part. */
        share: z.number(),
        variants: z.array(ExperimentVariant),
      }),
    ),
  })
  .meta({ id: 'Experiments' });

const days = z.strictObject({
  from: Day.optional().meta({
    description: 'First day, UTC. Absent: since the offer was saved, or offers were first made.',
  }),
  to: Day.optional().meta({ description: 'Last day, UTC. Absent: until now.' }),
});
const inQuery = ({ path, message }: { path: string; message: string }) => ({
  path: `query.${path}`,
  message,
});

async function readout(question: ReadoutQuestion, { insights, config }: Pick<Deps, 'insights' | 'config'>) {
  const { answer, computedAt } = await insights.readout(question);
  const body = { ...answer, currency: config.currency, computedAt: new Date(computedAt).toISOString() };
  return { status: 200 as const, body };
}

const tags = ['experiments'] as const;
const explained =
  'Groups by the hash of the customer ids: everybody who was put into a group counts in it, whether anything was shown or not. ' +
  '`differences` have 95 % intervals that hold however often they are looked at; `sampleRatio.mismatch` says that ' +
  'they are not to be trusted. docs/experiments.md has the definitions.';

export const experimentRoutes = [
  defineRoute({
    method: 'GET',
    path: '/experiments',
    scope: 'read',
    summary: 'The experiments of the decision policy',
    tags,
    responses: { 200: List },
    handler: async (_input, { policy, now }) => {
      const experiments = policy.experiments.map((experiment) => {
        const end = experiment.to === undefined ? undefined : Date.parse(experiment.to);
        return { ...experiment, state: stateOf({ from: Date.parse(experiment.from), end }, now()) };
      });
      return { status: 200, body: { controlGroupShare: policy.controlGroupShare, experiments } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/experiments/{name}',
    asksLake: true,
    scope: 'read',
    summary: 'What an experiment has done so far to repeat purchases, margin, churn and satisfaction',
    description: explained,
    tags,
    params: z.strictObject({ name: z.string().min(1).max(50) }),
    responses: { 200: Answer },
    problems: [404, 429, 503],
    handler: async ({ params: { name } }, deps) => await readout({ of: 'experiment', name }, deps),
  }),
  defineRoute({
    method: 'GET',
    path: '/control-group',
    asksLake: true,
    scope: 'read',
    summary: 'What all offers together have earned: everybody else beside the customers who get none',
    description: `\`totalMarginMinor\` is what it comes to. ${explained}`,
    tags,
    query: days,
    responses: { 200: Answer },
    problems: [404, 429, 503],
    check: ({ query }) => periodFaults(query).map(inQuery),
    handler: async ({ query: { from, to } }, deps) => await readout({ of: 'controlGroup', from, to }, deps),
  }),
  defineRoute({
    method: 'GET',
    path: '/offers/{offerId}/holdout',
    asksLake: true,
    scope: 'read',
    summary: 'What an offer has earned: everybody else beside the customers who never get it',
    description: explained,
    tags,
    params: z.strictObject({ offerId: OfferId }),
    query: days,
    responses: { 200: Answer },
    problems: [404, 429, 503],
    check: ({ query }) => periodFaults(query).map(inQuery),
    handler: async ({ params: { offerId }, query: { from, to } }, deps) => {
      const offer = await deps.catalogueStore.getOffer(offerId);
      if (offer === undefined) throw new AppError('NOT_FOUND', { public: 'There is no such offer.' });
      const { holdoutShare, validFrom } = offer;
      const savedAt = (await listVersions(offerId, deps)).at(-1)?.savedAt;
      return await readout({ of: 'offerHoldout', offerId, holdoutShare, validFrom, savedAt, from, to }, deps);
    },
  }),
];
