/** Whether the shop keeps its customers. */
import { z } from 'zod';
import { AppError, type Fault } from '../../domain/errors.ts';
import { Currency } from '../../domain/money.ts';
import { DIMENSIONS, DIMENSIONS_DEFAULT, type Dimension } from '../../insights/dimensions.ts';
import { Day, periodDaysDefault, periodDaysMax, periodFaults } from '../../insights/period.ts';
import { Retention } from '../../insights/retention.ts';
import { list } from '../query.ts';
import { defineRoute } from '../route.ts';

const query = z.strictObject({
  from: Day.optional().meta({
    description: `First day, UTC. Absent: the period has ${periodDaysDefault} days.`,
  }),
  to: Day.optional().meta({ description: 'Last day, UTC. Absent: that of the last purchase.' }),
  by: list(z.enum(DIMENSIONS, { error: `must be among ${DIMENSIONS.join(', ')}` }), DIMENSIONS.length),
});

const Answer = Retention.extend({
  currency: Currency,
  /** When the figures were read from the lake: an answer is kept until the lake has grown, at least for ten times as long as it took. */
  computedAt: z.iso.datetime(),
}).meta({ id: 'RetentionAnswer' });

/** In one order, so that the same question is the same. */
function dimensionsOf(by: readonly Dimension[]): readonly Dimension[] {
  return by.length === 0 ? DIMENSIONS_DEFAULT : DIMENSIONS.filter((dimension) => by.includes(dimension));
}

function inQuery({ path, message }: Fault): Fault {
  return { path: `query.${path}`, message };
}

/** Where `to` is absent, only the lake tells whether the days go together. */
function refuseInQuery(err: unknown): never {
  if (!(err instanceof AppError) || err.code !== 'INVALID_REQUEST') throw err;
  throw new AppError(err.code, { public: err.public, faults: err.faults.map(inQuery) });
}

export const insightRoutes = [
  defineRoute({
    method: 'GET',
    path: '/insights/retention',
    asksLake: true,
    scope: 'read',
    summary:
      'Repeat purchases, retention, churn, value and satisfaction of a period, of all customers, by group and by cohort',
    description:
      `Each figure with the number of its customers and a 95 % interval (\`intervals\` says which). \`by\`: ` +
      `${DIMENSIONS.join(', ')}; absent: all but \`cohort\`. A period has at most ${periodDaysMax} days. Read from the lake, which ` +
      'holds an event seconds after it was accepted; on tens of millions of events the first answer takes seconds.',
    tags: ['insights'],
    query,
    responses: { 200: Answer },
    problems: [429, 503],
    check: ({ query }) => periodFaults(query).map(inQuery),
    handler: async ({ query: { from, to, by } }, { insights, config }) => {
      const { answer, computedAt } = await insights
        .retention({ from, to, by: dimensionsOf(by) })
        .catch(refuseInQuery);
      const body = { ...answer, currency: config.currency, computedAt: new Date(computedAt).toISOString() };
      return { status: 200, body };
    },
  }),
];
