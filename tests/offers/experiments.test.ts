import { expect, test } from 'vitest';
import { DecisionPolicy, type DecisionPolicyInput } from '../../src/domain/decision-policy.ts';
import { compileExperiments, isHeldOut, untriedPage } from '../../src/offers/experiments.ts';
import { makeFacts, makeOffer, makeSituation } from '../support/offers.ts';

const from = '2026-06-01T00:00:00Z';
const to = '2026-07-01T00:00:00Z';
const during = Date.parse('2026-06-15T12:00:00Z');
const ids = Array.from({ length: 100_000 }, (_, i) => `c${String(i).padStart(7, '0')}`);

const ranking = {
  name: 'ranking',
  from,
  to,
  share: 0.5,
  variants: [{ name: 'value' }, { name: 'response', weight: 3, ranking: 'response' }],
};
const levers = {
  name: 'levers',
  from,
  variants: [{ name: 'as-it-is' }, { name: 'more-tea', levers: { tea: 2 }, withoutOffers: ['coffee'] }],
};
const page = {
  name: 'page',
  from,
  to,
  variants: [{ name: 'home' }, { name: 'varied', scenarios: { home: 'varied-home' } }],
};

function experimentsOf(...experiments: unknown[]) {
  return compileExperiments(DecisionPolicy.parse({ experiments }));
}
/** name=variant of every experiment on offers that each id is in. */
function assigned(compiled: ReturnType<typeof compileExperiments>, name: string) {
  return ids.map((id) => {
    const { experiment, furtherExperiments } = compiled.settingsFor(id, during);
    return [...(experiment === null ? [] : [experiment]), ...furtherExperiments].find(
      (one) => one.name === name,
    )?.variant;
  });
}
/** Of a count that is binomial, within five standard deviations of what is expected. */
function expectShare(count: number, share: number, n = ids.length) {
  expect(Math.abs(count - share * n)).toBeLessThan(5 * Math.sqrt(n * share * (1 - share)));
}
const countOf = <T>(list: readonly T[], value: T) => list.filter((one) => one === value).length;

test('experiments and their variants have the shares that they are given', () => {
  const variants = assigned(experimentsOf(ranking), 'ranking');
  expectShare(countOf(variants, undefined), 0.5);
  expectShare(countOf(variants, 'value'), 0.125);
  expectShare(countOf(variants, 'response'), 0.375);
});

test('an experiment divides everybody as if no other were there', () => {
  const alone = assigned(experimentsOf(ranking), 'ranking');
  const beside = experimentsOf(levers, ranking, page);
  expect(assigned(beside, 'ranking')).toEqual(alone);
  const other = assigned(beside, 'levers');
  const both = ids.filter((_, i) => alone[i] === 'response' && other[i] === 'more-tea').length;
  expectShare(both, 0.375 * 0.5);
});

test('what a variant does moves nobody; a larger share moves nobody who is in; other weights move as few as they must', () => {
  const before = assigned(experimentsOf(ranking), 'ranking');
  const [value, response] = ranking.variants;
  const changed = { ...ranking, variants: [value, { ...response, ranking: 'random' }] };
  expect(assigned(experimentsOf(changed), 'ranking')).toEqual(before);

  const larger = assigned(experimentsOf({ ...ranking, share: 0.8 }), 'ranking');
  expectShare(larger.filter((variant) => variant !== undefined).length, 0.8);
  expect(larger.filter((_, i) => before[i] !== undefined)).toEqual(
    before.filter((variant) => variant !== undefined),
  );

  const evened = assigned(
    experimentsOf({ ...ranking, variants: [value, { ...response, weight: 1 }] }),
    'ranking',
  );
  expectShare(evened.filter((variant, i) => variant !== before[i]).length, 0.5 * 0.25);
});

test('an experiment counts from its start until its end', () => {
  const compiled = experimentsOf({ ...ranking, share: 1 });
  const at = (instant: string) => compiled.settingsFor('c1', Date.parse(instant)).experiment?.name;
  expect(at('2026-05-31T23:59:59.999Z')).toBeUndefined();
  expect(at(from)).toBe('ranking');
  expect(at('2026-06-30T23:59:59.999Z')).toBe('ranking');
  expect(at(to)).toBeUndefined();
});

test('the control group has its share, is independent of the experiments and takes part in none', () => {
  const policy = { controlGroupShare: 0.1, experiments: [{ ...ranking, share: 1 }, levers, page] };
  const compiled = compileExperiments(DecisionPolicy.parse(policy));
  const members = ids.filter((id) => compiled.controlGroup(id).member);
  expectShare(members.length, 0.1);
  expect(compiled.controlGroup('c1').share).toBe(0.1);
  for (const id of members.slice(0, 1000)) {
    expect(compiled.settingsFor(id, during)).toMatchObject({ experiment: null, ranking: 'value' });
    expect(compiled.pageSettingsFor(id, 'home', during)).toEqual(untriedPage('home'));
  }
  const without = experimentsOf({ ...ranking, share: 1 });
  const inResponse = members.filter((id) => without.settingsFor(id, during).ranking === 'response');
  expectShare(inResponse.length, 0.75, members.length);
  const heldOut = members.filter((id) => isHeldOut(makeOffer({ holdoutShare: 0.3 }), id));
  expectShare(heldOut.length, 0.3, members.length);
});

test('a fallback stands in for the control group only where the policy says so', () => {
  const held = { controlGroupShare: 0.1 };
  const member = ids.find((id) => compileExperiments(DecisionPolicy.parse(held)).controlGroup(id).member);
  const fallbackOf = (policy: DecisionPolicyInput, id = member) =>
    compileExperiments(DecisionPolicy.parse(policy)).settingsFor(id ?? '', during).fallback;
  expect(fallbackOf(held)).toBe(false);
  expect(fallbackOf({ ...held, controlGroupFallback: true })).toBe(true);
  expect(fallbackOf({ ...held, controlGroupShare: 0 })).toBe(true);
});

test('each offer has a holdout of its own', () => {
  const tea = makeOffer({ offerId: 'tea', holdoutShare: 0.2 });
  const coffee = makeOffer({ offerId: 'coffee', holdoutShare: 0.2 });
  const fromTea = ids.filter((id) => isHeldOut(tea, id));
  expectShare(fromTea.length, 0.2);
  expectShare(fromTea.filter((id) => isHeldOut(coffee, id)).length, 0.2, fromTea.length);
  expect(ids.some((id) => isHeldOut(makeOffer({ offerId: 'tea' }), id))).toBe(false);
});

/** What the settings of somebody are who is in these variants. */
function settingsIn(compiled: ReturnType<typeof compileExperiments>, ...wanted: string[]) {
  const found = ids
    .map((id) => compiled.settingsFor(id, during))
    .find(({ experiment, furtherExperiments }) => {
      const names = [experiment, ...furtherExperiments].map((one) => one?.variant);
      return wanted.every((variant, i) => names[i] === variant) && names.length === wanted.length;
    });
  if (found === undefined) throw new Error(`nobody is in ${wanted.join(' and ')}`);
  return found;
}

test('a variant changes what it names, and leaves the rest as the policy has it', () => {
  const policy = DecisionPolicy.parse({
    exploration: { method: 'epsilonGreedy', epsilon: 0.2, maxCostMinorPerDay: 500 },
    experiments: [
      {
        name: 'trial',
        from,
        variants: [
          { name: 'control' },
          { name: 'unbounded', exploration: { maxCostMinorPerDay: null } },
          {
            name: 'all',
            ranking: 'random',
            exploration: { epsilon: 0.4 },
            offerModel: '20260601T030000Z-00000001',
          },
        ],
      },
    ],
  });
  const compiled = compileExperiments(policy);
  const untouched = { ranking: 'value', exploration: policy.exploration, offerModel: undefined };
  expect(settingsIn(compiled, 'control')).toMatchObject(untouched);
  expect(settingsIn(compiled, 'unbounded').exploration).toEqual({
    ...policy.exploration,
    purse: 'trial:unbounded',
    maxCostMinorPerDay: null,
  });
  expect(settingsIn(compiled, 'all')).toMatchObject({
    ranking: 'random',
    exploration: { method: 'epsilonGreedy', epsilon: 0.4, maxCostMinorPerDay: 500 },
    offerModel: '20260601T030000Z-00000001',
    experiment: { name: 'trial', variant: 'all' },
  });
  expect(compiled.settingsFor('c1', 0)).toMatchObject({ ...untouched, experiment: null });
});

test('of overlapping rules of contact the strictest holds; where weights contradict each other the first counts', () => {
  const one = {
    name: 'one',
    from,
    variants: [
      { name: 'plain' },
      {
        name: 'calm',
        contact: { minGapHours: 48, caps: [{ times: 1, days: 7 }] },
        economics: { marginWeight: 0.8 },
      },
    ],
  };
  const two = {
    name: 'two',
    from,
    variants: [
      { name: 'plain' },
      {
        name: 'calmer',
        contact: { minGapHours: 24, quietHours: [{ channels: ['email'], from: '11:00', to: '13:00' }] },
        economics: { marginWeight: 2, lifetimeValueWeight: 0.5 },
      },
    ],
  };
  const compiled = experimentsOf(one, two);
  expect(settingsIn(compiled, 'plain', 'plain').contactPolicy).toBeUndefined();
  const { contactPolicy, weights } = settingsIn(compiled, 'calm', 'calmer');
  expect(weights).toEqual({ marginWeight: 0.8, lifetimeValueWeight: 0.5 });
  const { caps, gap } = contactPolicy?.limitsOn('email') ?? {};
  expect(caps?.map(({ times, days }) => [times, days])).toEqual([
    [3, 7],
    [1, 7],
  ]);
  expect(gap?.ms).toBe(48 * 3_600_000);
  const facts = makeFacts();
  expect(contactPolicy?.ruleFor(facts, makeSituation({ channel: 'email', now: during })).ofAll).toBe(
    'quiet-hours',
  );
});

test('experiments that overlap add up, and the first of them counts where they contradict each other', () => {
  const more = {
    name: 'more',
    from,
    variants: [
      { name: 'plain' },
      {
        name: 'other',
        ranking: 'nothing',
        levers: { tea: 3, milk: 0.5 },
        withoutOffers: ['cocoa'],
        exploration: { method: 'none' },
      },
    ],
  };
  const compiled = experimentsOf({ ...ranking, share: 1 }, levers, more, page);
  const settings = settingsIn(compiled, 'response', 'more-tea', 'other');
  expect(settings).toMatchObject({
    ranking: 'response',
    exploration: { method: 'none', epsilon: 0.05 },
    experiment: { name: 'ranking', variant: 'response' },
    furtherExperiments: [
      { name: 'levers', variant: 'more-tea' },
      { name: 'more', variant: 'other' },
    ],
  });
  expect([...settings.levers]).toEqual([
    ['tea', 6],
    ['milk', 0.5],
  ]);
  expect([...settings.withoutOffers]).toEqual(['coffee', 'cocoa']);
});

test('a variant puts a scenario in the place of another; an experiment on pages does not concern offers', () => {
  const compiled = experimentsOf(levers, page);
  const answers = ids.slice(0, 1000).map((id) => compiled.pageSettingsFor(id, 'home', during));
  for (const { scenario, experiment } of answers) {
    expect(experiment?.name).toBe('page');
    expect(scenario).toBe(experiment?.variant === 'varied' ? 'varied-home' : 'home');
  }
  expect(new Set(answers.map(({ scenario }) => scenario)).size).toBe(2);
  for (const untouched of ['cart', 'toString'])
    expect(compiled.pageSettingsFor('c1', untouched, during)).toEqual(untriedPage(untouched));
  expect(compiled.settingsFor('c1', during).furtherExperiments).toEqual([]);
});

test('of experiments on one scenario the first that changes it for a customer counts, and all are named', () => {
  const earlier = {
    ...page,
    name: 'earlier',
    variants: [{ name: 'home' }, { name: 'cart', scenarios: { home: 'cart' } }],
  };
  const compiled = experimentsOf(earlier, page);
  const seen = new Map<string, string>();
  for (const id of ids.slice(0, 200)) {
    const { scenario, experiment, furtherExperiments } = compiled.pageSettingsFor(id, 'home', during);
    seen.set(`${experiment?.variant} ${furtherExperiments.map(({ variant }) => variant)}`, scenario);
  }
  expect(Object.fromEntries(seen)).toEqual({
    'home home': 'home',
    'home varied': 'varied-home',
    'cart home': 'cart',
    'cart varied': 'cart',
  });
});

test('a version of the collaborative model is tried on pages of every scenario, beside what other experiments try', () => {
  const version = '20260601T030000Z-00000001';
  const model = {
    name: 'model',
    from,
    to,
    variants: [{ name: 'served' }, { name: 'other', collaborativeModel: version }],
  };
  const alike = { name: 'aa', from, variants: [{ name: 'a' }, { name: 'b' }] };
  const compiled = experimentsOf(levers, model, alike, page);
  const seen = new Set<string>();
  for (const id of ids.slice(0, 200)) {
    const settings = compiled.pageSettingsFor(id, 'home', during);
    const { experiment, furtherExperiments } = settings;
    expect(furtherExperiments.map(({ name }) => name)).toEqual(['aa', 'page']);
    expect(settings.collaborativeModel).toBe(experiment?.variant === 'other' ? version : undefined);
    const isVaried = furtherExperiments[1]?.variant === 'varied';
    expect(settings.scenario).toBe(isVaried ? 'varied-home' : 'home');
    seen.add(`${settings.collaborativeModel} ${settings.scenario}`);
    // Whatever is asked for, she gets it of the same model.
    const cart = compiled.pageSettingsFor(id, 'cart', during);
    expect(cart).toMatchObject({ collaborativeModel: settings.collaborativeModel, experiment });
    expect(cart.furtherExperiments.map(({ name }) => name)).toEqual(['aa']);
    const onOffers = compiled.settingsFor(id, during);
    expect([onOffers.experiment?.name, onOffers.furtherExperiments[0]?.name]).toEqual(['levers', 'aa']);
  }
  expect(seen.size).toBe(4);
  expect(compiled.pageSettingsFor('c1', 'home', Date.parse(to)).collaborativeModel).toBeUndefined();
});

test('an experiment whose variants are all alike concerns everything, to try the measuring itself', () => {
  const compiled = experimentsOf({ name: 'aa', from, variants: [{ name: 'a' }, { name: 'b' }] });
  expect(compiled.settingsFor('c1', during).experiment?.name).toBe('aa');
  expect(compiled.pageSettingsFor('c1', 'cart', during).experiment?.name).toBe('aa');
});
