import { describe, expect, test } from 'vitest';
import { LoggedDecision } from '../../../src/decide/decision-log.ts';
import { Decision } from '../../../src/domain/decision.ts';
import { DecisionPolicy } from '../../../src/domain/decision-policy.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { writeEntries } from '../../../src/history/write-entries.ts';
import { readOut } from '../../../src/insights/experiments/readout.ts';
import { controlGroupSplit, experimentSplit, type Split } from '../../../src/insights/experiments/split.ts';
import { compileExperiments } from '../../../src/offers/experiments.ts';
import { testLake } from '../../support/lake.ts';
import { makeItem } from '../../support/offers.ts';
import { writeBuyers } from './buyers.ts';

const start = Date.UTC(2026, 5, 1);
const now = start + 20 * dayMs;
const policy = DecisionPolicy.parse({
  experiments: [
    { name: 'spring', from: '2026-06-01T00:00:00Z', variants: [{ name: 'control' }, { name: 'more' }] },
  ],
});
const split = splitOf(policy);
const settings = { assumedShare: 0.3, now };

function splitOf(of: DecisionPolicy): Split {
  const [experiment] = of.experiments;
  if (experiment === undefined) throw new Error('no experiment');
  return experimentSplit(experiment, of);
}

/** So many customers who are in this variant. */
function customersIn(variant: string, count: number): string[] {
  const compiled = compileExperiments(policy);
  const found: string[] = [];
  for (let i = 0; found.length < count; i++)
    if (compiled.settingsFor(`c${i}`, now).experiment?.variant === variant) found.push(`c${i}`);
  return found;
}

let nextId = 0;
function event(customerId: string, day: number, type: string, rest: object = {}): ShopEvent {
  const at = { occurredAt: start + day * dayMs, channel: 'web', customerId };
  return { type, eventId: `e${nextId++}`, ...at, ...rest } as unknown as ShopEvent;
}
const line = (itemId: string, unitPriceMinor: number, discountMinor = 0) => ({
  lines: [{ itemId, quantity: 2, unitPriceMinor, discountMinor }],
});

test('each figure, reckoned by hand', async () => {
  const lake = await testLake();
  const [anna = '', bert = '', cleo = ''] = customersIn('control', 3);
  const [dora = '', emil = ''] = customersIn('more', 2);
  const tea = makeItem({ itemId: 'tea', priceMinor: 1000, marginMinor: 400 });
  const events = [
    // Active before the start, came back: margin 2 · 1000 · 0.4 − 100 less 400 back.
    event(anna, -10, 'purchase', line('tea', 1000)),
    event(anna, 5, 'purchase', line('tea', 1000, 100)),
    event(anna, 6, 'return', line('tea', 200)),
    event(anna, 7, 'rating', { rating: 2 }),
    event(anna, 8, 'rating', { rating: 5 }),
    // Active before the start, lost. What was rated before does not count.
    event(bert, -20, 'purchase', line('tea', 1000)),
    event(bert, -1, 'rating', { rating: 1 }),
    // Bought too long ago to be lost, came back to an item that nobody knows: 30 % are assumed.
    event(cleo, -91, 'purchase', line('tea', 1000)),
    event(cleo, 3, 'purchase', line('mug', 500)),
    event(cleo, 4, 'nps', { score: 9 }),
    event(cleo, 5, 'nps', { score: 3 }),
    // New; two days of purchase are a return, two purchases of one day are none.
    event(dora, 2, 'purchase', line('tea', 500)),
    event(dora, 10, 'purchase', line('tea', 500)),
    event(dora, 11, 'rating', { rating: 4 }),
    event(emil, 9, 'purchase', line('tea', 500)),
    event(emil, 9.1, 'purchase', line('tea', 500)),
    event(emil, 9.2, 'nps', { score: 10 }),
    // After today, and a guest.
    event(bert, 21, 'purchase', line('tea', 1000)),
    { ...event('', 2, 'purchase', line('tea', 9000)), customerId: undefined, sessionId: 's1' } as ShopEvent,
  ];
  const catalogue = [{ kind: 'item' as const, at: start, item: tea }];
  await writeEntries(lake, 'all', { events, catalogue, decisions: [] });

  const { groups, differences, ...rest } = await readOut(lake, split, settings);
  expect(groups).toEqual([
    {
      name: 'control',
      weight: 0.5,
      customers: 3,
      repeatPurchaseRate: { customers: 3, value: 2 / 3 },
      marginPerCustomerMinor: { customers: 3, value: (800 - 100 - 400 + 0 + 300) / 3 },
      churnRate: { customers: 2, value: 0.5 },
      csat: { customers: 1, value: 1 },
      nps: { customers: 1, value: -100 },
    },
    {
      name: 'more',
      weight: 0.5,
      customers: 2,
      repeatPurchaseRate: { customers: 2, value: 0.5 },
      marginPerCustomerMinor: { customers: 2, value: 800 },
      churnRate: { customers: 0, value: null },
      csat: { customers: 1, value: 1 },
      nps: { customers: 1, value: 100 },
    },
  ]);
  const tooFew = { low: null, high: null, verdict: 'tooFew' };
  expect(differences).toMatchObject([
    {
      group: 'more',
      against: 'control',
      marginPerCustomerMinor: { value: 600, ...tooFew },
      churnRate: { value: null, ...tooFew },
      totalMarginMinor: { value: 1200, ...tooFew },
    },
  ]);
  expect(rest).toMatchObject({
    state: 'running',
    from: '2026-06-01T00:00:00.000Z',
    until: '2026-06-21T00:00:00.000Z',
    sampleRatio: { p: null, mismatch: false },
  });
  expect(rest.warnings.join()).toMatch(/Not enough data yet for .*marginPerCustomerMinor/);
});

const benefits = {
  gift: { kind: 'gift', costMinor: 300 },
  ten: { kind: 'percentOff', percent: 10 },
  call: { kind: 'serviceContact', form: 'call', costMinor: 500 },
};
const terms = {
  source: 'prior',
  acceptPropensity: 0.1,
  uplift: 0.1,
  orderMinor: 1000,
  marginRate: 0.3,
  marginMinor: 300,
  churnRisk: null,
  churnReduction: 0,
  remainingLifetimeValueMinor: 0,
  costWhenAcceptedMinor: 0,
  costWhenMadeMinor: 0,
  contactCostMinor: 0,
  priorityLever: 1,
  standardDeviationMinor: 0,
  made: 0,
  redeemed: 0,
  affinityLift: 1,
};
function decision(
  decisionId: string,
  customerId: string,
  day: number,
  offers: [string, object][],
  heldSince?: string,
) {
  return Decision.parse({
    decisionId,
    customerId,
    channel: 'email',
    currency: 'EUR',
    decidedAt: new Date(start + day * dayMs).toISOString(),
    placements: offers.map(([offerId, costs]) => ({
      placement: offerId,
      fallback: false,
      offers: [
        {
          offerId,
          offerVersion: '0123456789ab',
          name: offerId,
          benefit: benefits[offerId as keyof typeof benefits],
          expectedValue: 1,
          acceptPropensity: 0.1,
          uplift: 0.1,
          reasons: ['lever'],
          content: {},
          ...(heldSince !== undefined && { heldSince }),
          terms: { ...terms, ...costs },
        },
      ],
    })),
    excluded: [],
    fallback: false,
    experiment: null,
    modelVersions: {},
    policyVersion: 'p',
    degraded: false,
  });
}

test('offers are charged: contacts and calls when they are made, benefits when they are redeemed, once each', async () => {
  const lake = await testLake();
  const [anna = '', bert = ''] = customersIn('control', 2);
  const both = decision('d1', anna, 1, [
    ['gift', { costWhenAcceptedMinor: 300, contactCostMinor: 10 }],
    ['ten', { costWhenAcceptedMinor: 150, contactCostMinor: 10 }],
  ]);
  const decisions = [
    both,
    both,
    decision('d2', anna, 2, [['gift', { costWhenAcceptedMinor: 300, contactCostMinor: 10 }]]),
    decision('d3', bert, 3, [['call', { costWhenMadeMinor: 500, contactCostMinor: 20 }]]),
    // The same call, shown again.
    decision('d5', bert, 4, [['call', { costWhenMadeMinor: 500, contactCostMinor: 0 }]], 'd3'),
    decision('d4', bert, -1, [['call', { costWhenMadeMinor: 500, contactCostMinor: 20 }]]),
  ];
  const outcome = (decisionId: string, offerId: string, of: string) =>
    event(anna, 4, 'offerOutcome', { decisionId, offerId, outcome: of });
  const events = [
    event(bert, -2, 'visit'),
    outcome('d1', 'gift', 'redeemed'),
    outcome('d1', 'gift', 'redeemed'),
    // Its discount shows in the prices that were paid.
    outcome('d1', 'ten', 'redeemed'),
    outcome('d2', 'gift', 'clicked'),
  ];
  await writeEntries(lake, 'all', { events, catalogue: [], decisions: decisions as never });
  const { groups } = await readOut(lake, split, settings);
  const total = -(300 + 10 + 10 + 500 + 20);
  expect(groups[0]?.marginPerCustomerMinor).toEqual({ customers: 2, value: total / 2 });
});

test('a redemption costs what it was told to have cost, else what was reckoned; what was told first counts', async () => {
  const lake = await testLake();
  const [anna = '', bert = ''] = customersIn('control', 2);
  const decisions = [
    decision('d1', anna, 1, [['gift', { costWhenAcceptedMinor: 300 }]]),
    decision('d2', anna, 2, [['gift', { costWhenAcceptedMinor: 300 }]]),
    decision('d3', anna, 2, [['gift', { costWhenAcceptedMinor: 300 }]]),
    decision('d4', anna, 2, [['ten', { costWhenAcceptedMinor: 150 }]]),
    // A call took longer; made once, it is redeemed when it is shown again.
    decision('d5', bert, 3, [['call', { costWhenMadeMinor: 500 }]]),
    decision('d6', bert, 4, [['call', { costWhenMadeMinor: 500 }]], 'd5'),
  ];
  const outcome = (day: number, decisionId: string, offerId: string, costMinor?: number) =>
    event(anna, day, 'offerOutcome', {
      decisionId,
      offerId,
      outcome: 'redeemed',
      ...(costMinor !== undefined && { costMinor }),
    });
  const events = [
    event(bert, -2, 'visit'),
    outcome(4, 'd1', 'gift', 120),
    outcome(5, 'd1', 'gift', 999),
    // By the purchase alone, as an import brings it, of nothing; and without a cost.
    event(anna, 6, 'purchase', {
      ...line('tea', 0),
      redeemed: [
        { offerId: 'gift', decisionId: 'd2', costMinor: 0 },
        { offerId: 'gift', decisionId: 'd3' },
      ],
    }),
    // A discount's is in the prices that were paid, whatever is told.
    outcome(4, 'd4', 'ten', 150),
    outcome(5, 'd6', 'call', 700),
  ];
  await writeEntries(lake, 'all', { events, catalogue: [], decisions: decisions as never });
  const { groups } = await readOut(lake, split, settings);
  expect(groups[0]?.marginPerCustomerMinor).toEqual({ customers: 2, value: -(120 + 0 + 300 + 700) / 2 });
});

test('an effect is found, its interval told, and what it has earned in all', async () => {
  const lake = await testLake();
  await writeBuyers(lake, split.groupOf, 10_000, { 0: 0.3, 1: 0.4 });
  const { differences, sampleRatio, warnings } = await readOut(lake, split, settings);
  expect(sampleRatio.mismatch).toBe(false);
  expect(warnings).toEqual(['Not enough data yet for intervals of csat, nps.']);
  const [more] = differences;
  expect(more?.repeatPurchaseRate.verdict).toBe('higher');
  expect(more?.churnRate.verdict).toBe('lower');
  expect(more?.marginPerCustomerMinor.verdict).toBe('higher');
  const { low, high } = more?.repeatPurchaseRate ?? {};
  expect(low).toBeLessThan(0.1);
  expect(high).toBeGreaterThan(0.1);
  // Three standard errors of about 0.95 points to either side, a little more.
  expect((high ?? 0) - (low ?? 0)).toBeGreaterThan(0.055);
  expect((high ?? 0) - (low ?? 0)).toBeLessThan(0.065);
  const customers = (more?.totalMarginMinor.value ?? 0) / (more?.marginPerCustomerMinor.value ?? 1);
  expect(customers).toBeGreaterThan(4800);
  expect(customers).toBeLessThan(5200);
});

test('no effect, no verdict', async () => {
  const lake = await testLake();
  await writeBuyers(lake, split.groupOf, 10_000, { 0: 0.3, 1: 0.3 });
  const [more] = (await readOut(lake, split, settings)).differences;
  for (const outcome of ['repeatPurchaseRate', 'churnRate', 'marginPerCustomerMinor'] as const)
    expect(more?.[outcome].verdict).toBe('undecided');
});

test('where customers of one group are lost, the sample ratio says so', async () => {
  const lake = await testLake();
  await writeBuyers(lake, split.groupOf, 10_000, { 0: 0.3, 1: 0.3 }, 'groupNumber = 0 OR i % 10 > 0');
  const { sampleRatio, warnings } = await readOut(lake, split, settings);
  expect(sampleRatio.mismatch).toBe(true);
  expect(sampleRatio.p).toBeLessThan(0.001);
  expect(warnings[0]).toMatch(/^Sample ratio mismatch/);
});

test('what comes after the end does not count; before the start there is nothing to read', async () => {
  const lake = await testLake();
  await writeBuyers(lake, split.groupOf, 1000, { 0: 0.5, 1: 0.5 });
  const ended = await readOut(lake, { ...split, end: start + 7 * dayMs }, settings);
  expect(ended).toMatchObject({ state: 'ended', until: '2026-06-08T00:00:00.000Z' });
  expect(ended.groups[0]?.repeatPurchaseRate.value).toBe(0);
  const planned = await readOut(lake, split, { ...settings, now: start - dayMs });
  expect(planned.state).toBe('planned');
  expect(planned.warnings).toEqual(['It starts on 2026-06-01T00:00:00.000Z: there is nothing to read yet.']);
});

test('nobody is known to have left before the horizon has passed, and the answer says so', async () => {
  const lake = await testLake();
  await writeBuyers(lake, split.groupOf, 1000, { 0: 0.5, 1: 0.5 });
  // Of a history of three weeks the horizon is the least that there is: 14 days.
  const early = await readOut(lake, split, { ...settings, now: start + 14 * dayMs - 1 });
  const customers = early.groups[0]?.churnRate.customers;
  expect(customers).toBeGreaterThan(400);
  expect(early.groups[0]?.churnRate).toEqual({ customers, value: null });
  expect(early.differences[0]?.churnRate).toEqual({
    value: null,
    low: null,
    high: null,
    verdict: 'tooEarly',
  });
  expect(early.warnings.at(-1)).toBe(
    'churnRate is not known: a customer of this shop counts as lost after 14 days without a purchase, and these are 13.',
  );
  const known = await readOut(lake, split, { ...settings, now: start + 14 * dayMs });
  expect(known.groups[0]?.churnRate).toEqual({ customers, value: 1 });
  expect(known.warnings.join()).not.toContain('churnRate is not known');
});

test('an empty lake', async () => {
  const { groups, warnings } = await readOut(await testLake(), split, settings);
  expect(groups.map(({ customers }) => customers)).toEqual([0, 0]);
  expect(warnings[0]).toBe('Nobody is in control, more.');
});

describe('of a group whose policy came later than its days', () => {
  const both = DecisionPolicy.parse({ ...policy, controlGroupShare: 0.3 });
  const compiled = compileExperiments(both);
  const ids = Array.from({ length: 60 }, (_, i) => `c${i}`);
  const isHeld = (id: string) => compiled.controlGroup(id).member;
  /** One decision a customer: on the day `first` for the first of a group, and half a day later for each of the others. */
  const decided = (first: number, marks: (id: string) => object) =>
    ids.map((id, n) =>
      Decision.parse({ ...decision(`${first}-${id}`, id, first + n / 2, []), ...marks(id) }),
    );
  const marked = (id: string) =>
    isHeld(id) ? { controlGroup: true } : { experiment: { name: 'spring', variant: 'more' } };
  const span = { from: start, end: undefined };
  const splits = { experiment: splitOf(both), controlGroup: controlGroupSplit(both, span) };
  const warningsAfter = async (decisions: Decision[], { now = start + 60 * dayMs, of = splits } = {}) => {
    const lake = await testLake();
    await writeEntries(lake, 'all', {
      events: [],
      catalogue: [],
      decisions: decisions.map((one) => LoggedDecision.parse(one)),
    });
    const told = async (split: Split) => {
      const { warnings } = await readOut(lake, split, { ...settings, now });
      return warnings.filter((one) => /[Dd]ecision/.test(one)).join();
    };
    return { experiment: await told(of.experiment), controlGroup: await told(of.controlGroup) };
  };

  test('the day since which decisions carry it is told, and what to do', async () => {
    // Those of the control group do not carry the experiment, nor the others the control group: neither says anything of the other.
    const late = await warningsAfter([...decided(0, () => ({})), ...decided(31, marked)]);
    const firstOf = (isOne: (id: string) => boolean) => {
      const at = start + (31 + ids.findIndex(isOne) / 2) * dayMs;
      return new Date(at).toISOString().slice(0, 10);
    };
    const experimentDay = firstOf((id) => !isHeld(id));
    const controlDay = firstOf(isHeld);
    expect(late.experiment).toContain(`only since ${experimentDay}`);
    expect(late.experiment).toContain(`"from" to "${experimentDay}T00:00:00Z"`);
    expect(late.controlGroup).toContain(`only since ${controlDay}`);
    expect(late.controlGroup).toContain(`--from ${controlDay}`);
    // Followed, the warning is gone.
    const of = {
      experiment: { ...splits.experiment, from: Date.parse(`${experimentDay}T00:00:00Z`) },
      controlGroup: { ...splits.controlGroup, from: Date.parse(`${controlDay}T00:00:00Z`) },
    };
    expect(await warningsAfter(decided(31, marked), { of })).toEqual({ experiment: '', controlGroup: '' });
  });

  test('none carries it yet', async () => {
    const none = await warningsAfter(
      decided(0, () => ({ experiment: { name: 'sprin', variant: 'spring' } })),
    );
    expect(none.experiment).toContain('No decision on who takes part carries it yet');
    expect(none.controlGroup).toContain('No decision on who is in the control group says so yet');
  });

  test('nothing is said where it was known from the first decision on, or within a day, or nothing was decided', async () => {
    const nothing = { experiment: '', controlGroup: '' };
    expect(await warningsAfter(decided(4, marked))).toEqual(nothing);
    const further = (id: string) =>
      isHeld(id)
        ? { controlGroup: true }
        : {
            experiment: { name: 'other', variant: 'spring' },
            furtherExperiments: [{ name: 'spring', variant: 'control' }],
          };
    expect(await warningsAfter(decided(0, further))).toEqual(nothing);
    expect(await warningsAfter([], { now: start + 7 * dayMs })).toEqual(nothing);
    const [held = '', other = ''] = [ids.find(isHeld), ids.find((id) => !isHeld(id))];
    const early = [held, other].map((id) => decision(`early-${id}`, id, 0, []));
    const soon = [held, other].map((id) =>
      Decision.parse({ ...decision(`soon-${id}`, id, 0.9, []), ...marked(id) }),
    );
    expect(await warningsAfter([...early, ...soon])).toEqual(nothing);
    // Of the first day nobody can know yet what the processes will have been told.
    expect(await warningsAfter(early, { now: start + 0.5 * dayMs })).toEqual(nothing);
  });

  test('decisions that began long after the start are told, where nothing else can have done anything', async () => {
    const withRanking = (more: object) =>
      splitOf(
        DecisionPolicy.parse({
          controlGroupShare: 0.3,
          experiments: [
            {
              name: 'spring',
              from: '2026-06-01T00:00:00Z',
              variants: [{ name: 'control' }, { name: 'more', ranking: 'response', ...more }],
            },
          ],
        }),
      );
    const of = { ...splits, experiment: withRanking({}) };
    const late = await warningsAfter(decided(10, marked), { of });
    const day = new Date(start + 10 * dayMs).toISOString().slice(0, 10);
    expect(late.experiment).toContain(`No decision was made on who takes part before ${day}`);
    expect(late.controlGroup).toContain(
      'No decision was made on who is in the control group before 2026-06-1',
    );
    const never = await warningsAfter([], { of });
    expect(never.experiment).toBe('No decision is logged on who takes part: what differs is chance.');
    expect(never.controlGroup).toContain('No decision is logged on who is in the control group');
    const pagesToo = { ...splits, experiment: withRanking({ scenarios: { home: 'popular' } }) };
    expect((await warningsAfter(decided(10, marked), { of: pagesToo })).experiment).toBe('');
  });

  test('an experiment on pages alone leaves no decision that could tell', async () => {
    const [a, b] = [{ name: 'control' }, { name: 'more', scenarios: { home: 'popular' } }];
    const pages = DecisionPolicy.parse({
      experiments: [{ name: 'spring', from: '2026-06-01T00:00:00Z', variants: [a, b] }],
    });
    const of = { ...splits, experiment: splitOf(pages) };
    expect(
      (
        await warningsAfter(
          decided(0, () => ({})),
          { of },
        )
      ).experiment,
    ).toBe('');
  });
});
