import { beforeAll, describe, expect, test } from 'vitest';
import {
  acceptanceCoefficients,
  acceptanceLogit,
  fitAcceptance,
} from '../../../src/algorithms/offer-model/acceptance.ts';
import { KEEPING_ASSUMED } from '../../../src/algorithms/offer-model/assumed-effects.ts';
import { categoryFit } from '../../../src/algorithms/offer-model/category-fit.ts';
import { fitOfferModel } from '../../../src/algorithms/offer-model/fit-offer-model.ts';
import {
  type OfferDescriptor,
  offerArm,
  offerTraits,
} from '../../../src/algorithms/offer-model/offer-descriptor.ts';
import { type OfferLog, pairFits, pickLog } from '../../../src/algorithms/offer-model/offer-log.ts';
import {
  bindOffer,
  type OfferModel,
  predictEffect,
  readSubject,
} from '../../../src/algorithms/offer-model/offer-model.ts';
import { offersFromFiles, offersToFiles } from '../../../src/algorithms/offer-model/offer-model-files.ts';
import { OfferModelOptions } from '../../../src/algorithms/offer-model/offer-model-options.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { noContact } from '../../../src/algorithms/uplift/uplift-log.ts';

const descriptor = (offerId: string, change: Partial<OfferDescriptor> = {}): OfferDescriptor => ({
  offerId,
  kind: 'percentOff',
  depth: 0.1,
  retention: false,
  categories: [],
  ...change,
});

describe('what an offer goes by', () => {
  test('its kind, its depth, whether it is to keep, and its categories, which weigh as one together', () => {
    expect(
      offerTraits(descriptor('a', { depth: 0.25, retention: true, categories: ['x', 'y', 'z', 'w'] })),
    ).toEqual({
      'kind=percentOff': 1,
      depth: 0.5,
      retention: 1,
      partial: 1,
      'category=x': 0.5,
      'category=y': 0.5,
      'category=z': 0.5,
      'category=w': 0.5,
    });
  });

  test('another benefit is another arm; another name or text is not', () => {
    expect(offerArm(descriptor('a')).id).toBe(offerArm(descriptor('a')).id);
    expect(offerArm(descriptor('a')).id).not.toBe(offerArm(descriptor('a', { depth: 0.2 })).id);
    expect(offerArm(descriptor('a')).id).not.toBe(offerArm(descriptor('b')).id);
  });
});

test('how well categories suit: the share of interest over the usual one, drawn to it by five lines of evidence', () => {
  const usual = new Map([
    ['tea', 0.25],
    ['pets', 0],
  ]);
  const lover = { shares: new Map([['tea', 0.75]]), evidence: 5 };
  expect(categoryFit(['tea'], lover, usual)).toBeCloseTo(Math.log((5 * 0.75 + 5 * 0.25) / (10 * 0.25)));
  expect(categoryFit(['tea'], { shares: new Map(), evidence: 1e9 }, usual)).toBe(-Math.log(8));
  expect(categoryFit([], lover, usual)).toBe(0);
  expect(categoryFit(['pets'], lover, usual)).toBe(0);
});

test('of acceptance, an offer made three times is taken for its kind, one made often speaks for itself', () => {
  const times = [2000, 3, 2000];
  const share = [0.3, 0, 0.05];
  const arm: number[] = [];
  const redeemed: number[] = [];
  for (const [a, count] of times.entries())
    for (let n = 0; n < count; n++) {
      arm.push(a);
      redeemed.push(n < share[a]! * count ? 1 : 0);
    }
  const rows = arm.length;
  const numbers = Float64Array.from({ length: rows }, () => 1);
  // The first two are of one kind.
  const traits = [
    [1, 1, 0],
    [1, 1, 0],
    [1, 0, 1],
  ].map((own) => Float64Array.from(own));
  const model = fitAcceptance(
    { rows, size: 1, numbers, arm: Int32Array.from(arm), redeemed: Uint8Array.from(redeemed) },
    traits,
    { common: 1, traitAverage: 1, ownAverage: 4, trait: 1, own: 1 },
  );
  const shareOf = (ofArm: Float64Array, a: number | undefined) =>
    1 / (1 + Math.exp(-acceptanceCoefficients(model, ofArm, a)[0]!));
  expect(shareOf(traits[0]!, 0)).toBeCloseTo(0.3, 2);
  expect(shareOf(traits[2]!, 2)).toBeCloseTo(0.05, 2);
  expect(shareOf(traits[1]!, 1)).toBeGreaterThan(0.2);
  expect(shareOf(traits[1]!, undefined)).toBeGreaterThan(0.2);
});

test('a logit is 1, the axes and the pair, each times its coefficient', () => {
  expect(acceptanceLogit(Float64Array.of(1, 2, 3, 4), [9, 10, 100], 1, 1000)).toBe(
    1 + 2 * 10 + 3 * 100 + 4 * 1000,
  );
});

/**
 * Two offers to customers of two features in [−1, 1]. Without an offer they order with .3; `good` adds .3 where the first feature is above 0, `deep`
 * .2 to everybody; `good` takes .1 from those below 0. Whoever orders redeems; leaving is the second feature's doing alone.
 */
function drawLog(rows: number, seed: number): OfferLog {
  const rng = createRng(seed, 'offer log');
  const log = {
    contexts: new Float32Array(rows * 3),
    offer: new Int32Array(rows),
    shownAgain: new Uint8Array(rows),
    propensity: new Float64Array(rows),
    redeemed: new Uint8Array(rows),
    read: new Uint8Array(rows),
    taken: new Uint8Array(rows),
    dismissed: new Uint8Array(rows),
    orders: new Uint8Array(rows),
    churned: new Float32Array(rows),
  };
  for (let row = 0; row < rows; row++) {
    const [x, y] = [2 * rng.next() - 1, 2 * rng.next() - 1];
    log.contexts.set([x, y, 1], 3 * row);
    // Nothing to half of them, the better known the more often `good`.
    const shareOfGood = x > 0 ? 0.35 : 0.15;
    const drawn = rng.next();
    log.offer[row] = drawn < 0.5 ? noContact : drawn < 0.5 + shareOfGood ? 0 : 1;
    log.propensity[row] = drawn < 0.5 ? 0.5 : drawn < 0.5 + shareOfGood ? shareOfGood : 0.5 - shareOfGood;
    log.orders[row] = rng.chance(0.3 + trueUplift(log.offer[row]!, x)) ? 1 : 0;
    log.redeemed[row] = log.offer[row] === noContact ? 0 : log.orders[row]!;
    log.churned[row] = rng.chance(y > 0 ? 0.4 : 0.2) ? 1 : 0;
  }
  return {
    ...log,
    rows,
    featureNames: ['x', 'y'],
    channels: ['web'],
    offers: [descriptor('good'), descriptor('deep', { depth: 0.3 })],
    customer: Int32Array.from({ length: rows }, (_, row) => row >> 1),
    categories: [],
    interest: new Float32Array(0),
    evidence: new Float32Array(rows),
  };
}

function trueUplift(offer: number, x: number): number {
  return offer === noContact ? 0 : offer === 1 ? 0.2 : x > 0 ? 0.3 : -0.1;
}

const context = { windowDays: 14, churnHorizonDays: 30, usualOrderMinor: 5000 };
const learn = (log: OfferLog) =>
  fitOfferModel(log, context, OfferModelOptions.parse({}), createRng(1, 'test'));
const nobodys = { shares: new Map(), evidence: 0 };

describe('learnt from a log whose truth is known', () => {
  const log = drawLog(20_000, 7);
  let model: OfferModel;
  beforeAll(async () => {
    model = await learn(log);
  });
  const effectOf = (from: OfferModel, offer: OfferDescriptor, x: number, y = 0) => {
    const bound = bindOffer(from, offer);
    if (bound === undefined) throw new Error('unknown');
    return predictEffect(from, bound, readSubject(from, [x, y], 'web'), nobodys);
  };

  test('effects are near the truth although it is a step and they are a line, mostly within three of their deviations', () => {
    let covered = 0;
    let asked = 0;
    for (const [number, offer] of log.offers.entries())
      for (const x of [-0.8, -0.5, 0.5, 0.8]) {
        const { uplift, upliftDeviation, acceptPropensity, churnReduction } = effectOf(model, offer, x);
        expect(Math.abs(uplift - trueUplift(number, x))).toBeLessThan(0.12);
        expect(upliftDeviation).toBeGreaterThan(0.002);
        expect(Math.abs(acceptPropensity - 0.3 - trueUplift(number, x))).toBeLessThan(0.1);
        expect(Math.abs(churnReduction)).toBeLessThan(0.03);
        asked++;
        if (Math.abs(uplift - trueUplift(number, x)) < 3 * upliftDeviation) covered++;
      }
    expect(covered).toBeGreaterThanOrEqual(asked / 2);
  });

  test('choosing by uplift brings more than choosing by response, which gives the same to those it drives away', () => {
    const value = (choose: (x: number) => number) => {
      let sum = 0;
      for (let x = -0.95; x < 1; x += 0.1) sum += trueUplift(choose(x), x);
      return sum / 20;
    };
    const best = (read: (effect: ReturnType<typeof effectOf>) => number, least: number) => (x: number) => {
      const values = log.offers.map((offer) => read(effectOf(model, offer, x)));
      const top = values.indexOf(Math.max(...values));
      return values[top]! > least ? top : noContact;
    };
    const byUplift = value(best(({ uplift }) => uplift, 0));
    const always = value(() => 1);
    expect(byUplift).toBeGreaterThan(0.23);
    expect(byUplift).toBeGreaterThan(always);
    expect(byUplift).toBeGreaterThanOrEqual(value(best(({ acceptPropensity }) => acceptPropensity, 0)));
  });

  test('an offer that was never made begins at those like it; of an unknown kind there is nothing to say', () => {
    const between = effectOf(model, descriptor('new', { depth: 0.2 }), 0.8);
    expect(between.uplift).toBeGreaterThan(0.1);
    const known = effectOf(model, log.offers[0]!, 0.8);
    expect(between.upliftDeviation).toBeGreaterThan(known.upliftDeviation);
    expect(bindOffer(model, descriptor('other', { kind: 'gift' }))).toBeUndefined();
  });

  test('the same log and seed give the same model; files and back, too', async () => {
    expect(await learn(drawLog(20_000, 7))).toEqual(model);
    const { arrays, tables } = offersToFiles(model);
    const read = offersFromFiles(arrays, JSON.parse(JSON.stringify(tables)));
    expect(read).toEqual(model);
    expect(effectOf(read, log.offers[1]!, 0.3)).toEqual(effectOf(model, log.offers[1]!, 0.3));
    expect(() => offersFromFiles({ ...arrays, acceptanceOwn: new Float64Array(1) }, tables)).toThrow(
      'acceptanceOwn',
    );
    expect(() => offersFromFiles(arrays, { ...tables, offers: {} })).toThrow('its table offers');
  });

  test('an offer that is withheld is so with the same benefit alone', () => {
    const withheld = { ...model, withheld: ['deep'] };
    expect(effectOf(withheld, log.offers[1]!, 0.3).withheld).toBe(true);
    expect(effectOf(withheld, log.offers[0]!, 0.3)).not.toHaveProperty('withheld');
    expect(effectOf(withheld, { ...log.offers[1]!, depth: 0.1 }, 0.3)).not.toHaveProperty('withheld');
    const { arrays, tables } = offersToFiles(withheld);
    expect(offersFromFiles(arrays, JSON.parse(JSON.stringify(tables))).withheld).toEqual(['deep']);
  });

  test('who is likely to dismiss an offer is expected to be driven away by it; a service contact to keep', async () => {
    const log = drawLog(4000, 7);
    // Every second one below 0 dismisses what is offered, nobody above.
    const dismissed = log.dismissed.map((_none, row) =>
      log.offer[row] !== noContact && log.contexts[3 * row]! < 0 && row % 2 === 0 ? 1 : 0,
    );
    const unknown = log.churned.map(() => Number.NaN);
    const asService = log.offers.map((offer, number) =>
      number === 1 ? { ...offer, kind: 'serviceContact', retention: true } : offer,
    );
    const wary = await learn({ ...log, dismissed, churned: unknown, offers: asService });
    const [driven, fine] = [-0.8, 0.8].map((x) => effectOf(wary, log.offers[0]!, x));
    // Half of them dismiss: about half of the size that is assumed, at least.
    expect(driven!.churnReduction).toBeLessThan(-0.4 * KEEPING_ASSUMED.dismissal.size);
    expect(fine!.churnReduction).toBeGreaterThan(-0.01);
    expect(driven!.churnReductionDeviation).toBeGreaterThan(fine!.churnReductionDeviation);
    expect(effectOf(wary, asService[1]!, 0.8).churnReduction).toBeGreaterThan(fine!.churnReduction);
    // Who takes an offer up does not dismiss it, so that few dismissals of what many take are no sign of ease; nor of what few open.
    const answers = { read: dismissed.map((_none, row) => (row % 2 === 0 && row % 3 > 0 ? 1 : 0)) };
    const opened = await learn({
      ...log,
      ...answers,
      dismissed: dismissed.map((one, row) => one * answers.read[row]!),
      churned: unknown,
    });
    expect(effectOf(opened, log.offers[0]!, -0.8).churnReduction).toBeLessThan(1.5 * driven!.churnReduction);
    const { arrays, tables } = offersToFiles(wary);
    expect(offersFromFiles(arrays, JSON.parse(JSON.stringify(tables)))).toEqual(wary);
    expect(() => offersFromFiles({ ...arrays, dismissalOwn: new Float64Array(1) }, tables)).toThrow(
      'dismissalOwn',
    );
  });

  test('where leaving is not known, nothing is said of it', async () => {
    const few = pickLog(
      { ...log, churned: log.churned.map(() => Number.NaN) },
      Int32Array.from({ length: 3000 }, (_, row) => row),
    );
    const without = await learn(few);
    expect(without.churn).toBeUndefined();
    expect(effectOf(without, log.offers[0]!, 0.5)).toMatchObject({
      churnReduction: 0,
      churnReductionDeviation: 0,
    });
  });
});

test('a category that the log has no column of tells nothing of whom an offer suits', () => {
  const log = {
    ...drawLog(4, 1),
    categories: ['x'],
    interest: Float32Array.of(0.5, 0.1, 0.9, 0.2),
    evidence: Float32Array.of(10, 10, 10, 10),
    offers: [descriptor('a', { categories: ['x'] }), descriptor('b', { categories: ['unknown', 'x'] })],
  };
  const suits = pairFits(log, new Map([['x', 0.25]]));
  for (let row = 0; row < 4; row++) expect(suits(row, 1)).toBe(suits(row, 0));
});
