/**
 * What an experiment has done: its groups beside each other, by the hash of the customers' ids. Everybody who was put into a
 * group counts in it from the start, whether an offer was ever made or not (intention to treat), so that no log of exposures is
 * needed and nothing that the experiment itself brings about decides who is counted. docs/experiments.md has the definitions.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { sequentialDifference } from '../../algorithms/confidence-sequence.ts';
import { sampleRatioP } from '../../algorithms/sample-ratio.ts';
import { dayMs } from '../../domain/time.ts';
import type { Lake } from '../../history/lake.ts';
import { whyChurnUnknown } from '../churn-horizon.ts';
import { itemMarginsQuery } from './item-margins.ts';
import { whyThinnedOut } from './known-since.ts';
import { offerCostsQuery } from './offer-costs.ts';
import { clockOf, type GroupSums, hasEnough, OUTCOMES, type Outcome, readGroups } from './outcomes.ts';
import { peopleQuery } from './people.ts';
import type { Split } from './split.ts';

export const EXPERIMENT_STATES = ['planned', 'running', 'ended'] as const;

const Figure = z.object({
  /** Customers that it is taken over. */
  customers: z.int().min(0),
  /** null: there are no such customers, or it cannot be known of them yet. */
  value: z.number().nullable(),
});

const VERDICTS = ['higher', 'lower', 'undecided', 'tooFew', 'tooEarly'] as const;

const Difference = z.object({
  /** Of the group − of the first group; null where one has nobody to tell it by. */
  value: z.number().nullable(),
  /** 95 % interval that holds at every look together; null: too few customers. */
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** higher, lower: the interval leaves out 0. tooEarly: nobody can be known to have left yet. */
  verdict: z.enum(VERDICTS),
});
export type Difference = z.output<typeof Difference>;

function each<S extends z.ZodType>(schema: S) {
  return z.object(Object.fromEntries(OUTCOMES.map((name) => [name, schema])) as Record<Outcome, S>);
}

export const Readout = z.object({
  state: z.enum(EXPERIMENT_STATES),
  from: z.iso.datetime(),
  /** Events before it count: the end of the experiment, or now. */
  until: z.iso.datetime(),
  groups: z.array(
    z.object({
      name: z.string(),
      /** Share of the customers who take part that it is to have. */
      weight: z.number(),
      customers: z.int().min(0),
      ...each(Figure).shape,
    }),
  ),
  /** Every other group beside the first. */
  differences: z.array(
    z.object({
      group: z.string(),
      against: z.string(),
      ...each(Difference).shape,
      /** The margin's difference times the customers of the group: what it has earned so far that it would not have. */
      totalMarginMinor: Difference,
    }),
  ),
  sampleRatio: z.object({
    /** Probability that chance alone makes groups of these sizes; null: too few customers. */
    p: z.number().nullable(),
    /** p is below 0.001: the differences are not to be trusted. */
    mismatch: z.boolean(),
  }),
  /** In words, what to heed. */
  warnings: z.array(z.string()),
});
export type Readout = z.output<typeof Readout>;

const mismatchBelow = 0.001;

export type ReadoutSettings = {
  /** Margin over price of items of which the catalogue does not tell. */
  assumedShare: number;
  /** Milliseconds since 1970. */
  now: number;
};

/** Leaves no tables behind. `signal` ends it, with an error. */
export async function readOut(
  lake: Pick<Lake, 'from' | 'connect'>,
  split: Split,
  { assumedShare, now }: ReadoutSettings,
  signal?: AbortSignal,
): Promise<Readout> {
  const end = Math.max(split.from, Math.min(now, split.end ?? now));
  const connection = await lake.connect();
  const interrupt = () => connection.interrupt();
  signal?.addEventListener('abort', interrupt);
  try {
    signal?.throwIfAborted();
    await makePeople(connection, lake, split, { end, assumedShare });
    const sums = await readGroups(connection, 'people', split.groups);
    const churnUnknown = await whyChurnUnknown(lake, connection, (end - split.from) / dayMs, end);
    const span = { from: split.from, end };
    const thinnedOut = split.mark && (await whyThinnedOut(connection, lake, split.mark, span));
    return { ...describe(split, end, now), ...compare(split, sums, { end, now, churnUnknown, thinnedOut }) };
  } finally {
    signal?.removeEventListener('abort', interrupt);
    // Temporary tables go with their connection.
    connection.closeSync();
  }
}

export function stateOf({ from, end }: Pick<Split, 'from' | 'end'>, now: number): Readout['state'] {
  return now < from ? 'planned' : now < (end ?? Infinity) ? 'running' : 'ended';
}

async function makePeople(
  connection: DuckDBConnection,
  lake: Pick<Lake, 'from'>,
  { from, groupOf }: Split,
  { end, assumedShare }: { end: number; assumedShare: number },
): Promise<void> {
  const make = (table: string, query: string) => connection.run(`CREATE TEMP TABLE ${table} AS ${query}`);
  await make('margins', itemMarginsQuery(lake));
  await make('costs', offerCostsQuery(lake, from, end));
  const people = peopleQuery(lake, 'margins', 'costs', { from, end, assumedShare });
  await make('people', `SELECT *, ${groupOf} AS groupNumber FROM (${people})`);
}

function describe(split: Split, end: number, now: number) {
  return {
    state: stateOf(split, now),
    from: new Date(split.from).toISOString(),
    until: new Date(end).toISOString(),
  };
}

/**
 * Milliseconds since 1970; `churnUnknown`: why nobody can be known to have left, undefined = who has is known; `thinnedOut`: why days
 * count in which nothing was done, undefined = none is known to.
 */
type Known = {
  end: number;
  now: number;
  churnUnknown: string | undefined;
  thinnedOut: string | undefined;
};

function compare(split: Split, sums: readonly GroupSums[], known: Known) {
  const isKnown = (outcome: Outcome) => outcome !== 'churnRate' || known.churnUnknown === undefined;
  const weights = sums.map(({ weight }) => weight);
  const weightOfAll = weights.reduce((sum, weight) => sum + weight, 0);
  const p = sampleRatioP(
    sums.map(({ customers }) => customers),
    weights,
  );
  const groups = sums.map(({ name, weight, customers, outcomes }) => ({
    name,
    weight: weight / weightOfAll,
    customers,
    ...figuresOf(outcomes, isKnown),
  }));
  const [first, ...others] = sums;
  const differences = first === undefined ? [] : others.map((group) => differencesOf(first, group, isKnown));
  const sampleRatio = { p, mismatch: p !== null && p < mismatchBelow };
  const warnings = warningsOf(split, groups, differences, { p, ...known });
  return { groups, differences, sampleRatio, warnings };
}

function differencesOf(
  first: GroupSums,
  group: GroupSums,
  isKnown: (outcome: Outcome) => boolean,
): Readout['differences'][number] {
  const all = OUTCOMES.map((outcome) => [
    outcome,
    isKnown(outcome) ? differenceOf(outcome, first, group) : none('tooEarly'),
  ]);
  const differences = Object.fromEntries(all) as Record<Outcome, Difference>;
  const totalMarginMinor = times(differences.marginPerCustomerMinor, group.customers);
  return { group: group.name, against: first.name, ...differences, totalMarginMinor };
}

function figuresOf(
  outcomes: GroupSums['outcomes'],
  isKnown: (outcome: Outcome) => boolean,
): Record<Outcome, z.output<typeof Figure>> {
  const figures = OUTCOMES.map((outcome) => {
    const { n, mean } = outcomes[outcome];
    return [outcome, { customers: n, value: n > 0 && isKnown(outcome) ? mean : null }];
  });
  return Object.fromEntries(figures) as Record<Outcome, z.output<typeof Figure>>;
}

function differenceOf(outcome: Outcome, first: GroupSums, group: GroupSums): Difference {
  const [a, b] = [first.outcomes[outcome], group.outcomes[outcome]];
  if (a.n === 0 || b.n === 0) return none('tooFew');
  const value = b.mean - a.mean;
  const enough = hasEnough(a) && hasEnough(b);
  const bounds = enough ? sequentialDifference(a, b, clockOf(outcome, first, group)) : null;
  if (bounds === null) return { value, low: null, high: null, verdict: 'tooFew' };
  const verdict = bounds.low > 0 ? 'higher' : bounds.high < 0 ? 'lower' : 'undecided';
  return { value, ...bounds, verdict };
}

function none(verdict: Difference['verdict']): Difference {
  return { value: null, low: null, high: null, verdict };
}

function times({ value, low, high, verdict }: Difference, count: number): Difference {
  const by = (part: number | null) => (part === null ? null : part * count);
  return { value: by(value), low: by(low), high: by(high), verdict };
}

function warningsOf(
  split: Split,
  groups: Readout['groups'],
  differences: Readout['differences'],
  { p, end, now, churnUnknown, thinnedOut }: { p: number | null } & Known,
): string[] {
  if (end <= split.from)
    return [
      `It starts on ${new Date(split.from).toISOString()}: there is nothing to read ${now <= split.from ? 'yet' : 'in these days'}.`,
    ];
  const warnings: string[] = thinnedOut === undefined ? [] : [thinnedOut];
  if (p !== null && p < mismatchBelow) {
    const sizes = groups.map(
      ({ name, customers, weight }) => `${name} ${customers} (weight ${weight.toFixed(3)})`,
    );
    warnings.push(
      `Sample ratio mismatch: chance hardly makes groups of these sizes (p = ${p.toExponential(1)}): ${sizes.join(', ')}. ` +
        'Weights were changed, or events of one group are lost: do not trust the differences.',
    );
  }
  const empty = groups.filter(({ customers }) => customers === 0).map(({ name }) => name);
  if (empty.length > 0) warnings.push(`Nobody is in ${empty.join(', ')}.`);
  const tooFew = OUTCOMES.filter((outcome) => differences.some((one) => one[outcome].verdict === 'tooFew'));
  if (tooFew.length > 0) warnings.push(`Not enough data yet for intervals of ${tooFew.join(', ')}.`);
  if (churnUnknown !== undefined) warnings.push(churnUnknown);
  return warnings;
}
