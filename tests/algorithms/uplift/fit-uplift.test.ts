import { describe, expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import { fitUplift, UpliftOptions } from '../../../src/algorithms/uplift/fit-uplift.ts';
import { upliftFromFiles, upliftToFiles } from '../../../src/algorithms/uplift/uplift-files.ts';
import type { UpliftLog } from '../../../src/algorithms/uplift/uplift-log.ts';
import {
  armEffect,
  createUpliftReader,
  effectOf,
  effectSpread,
  type UpliftModel,
} from '../../../src/algorithms/uplift/uplift-model.ts';
import {
  type MailCustomer,
  type MailReward,
  mailCampaign,
  mailLog,
  trueUpliftAt,
} from '../../support/mail-campaign.ts';

const arms = [
  { id: 'mens', traits: {} },
  { id: 'womens', traits: {} },
];
const options = UpliftOptions.parse({});
const learn = (log: UpliftLog, seed = 1) => fitUplift(log, arms, options, createRng(seed, 'fit'));

/** By customer: the arm (position in the campaign) of the largest effect, that effect, and what she would bring under it. */
function rank(model: UpliftModel, customers: readonly MailCustomer[], reward: MailReward) {
  const log = mailLog(customers, reward);
  const read = createUpliftReader(model);
  const found = customers.map((_, n) => {
    const subject = read(log.contexts, n * log.columns);
    const effects = model.arms.map((arm) => effectOf(arm, subject));
    const best = effects[0]! >= effects[1]! ? 0 : 1;
    return { arm: best + 1, effect: effects[best]!, response: subject.untouched + effects[best]! };
  });
  return {
    arm: found.map(({ arm }) => arm),
    effect: found.map(({ effect }) => effect),
    response: found.map(({ response }) => response),
  };
}

describe('on campaigns whose truth is known, judged by true effects of others', () => {
  test('where loyal customers are driven away, it ranks better than response at 10, 20 and 30 %', async () => {
    const model = await learn(mailLog(mailCampaign('persuadable', 32_000, 1), 'visit'));
    const others = mailCampaign('persuadable', 20_000, 2);
    const { arm, effect, response } = rank(model, others, 'visit');
    for (const share of [0.1, 0.2, 0.3]) {
      const own = trueUpliftAt(others, 'visit', effect, arm, share);
      expect(own).toBeGreaterThan(1.05 * trueUpliftAt(others, 'visit', response, arm, share));
      expect(own).toBeGreaterThan(1.3 * trueUpliftAt(others, 'visit', effect, arm, 1));
    }
  });

  test('where effects go with the response, it is hardly behind what knows that they do', async () => {
    const model = await learn(mailLog(mailCampaign('proportional', 32_000, 1), 'visit'));
    const others = mailCampaign('proportional', 20_000, 2);
    const { arm, effect, response } = rank(model, others, 'visit');
    for (const share of [0.1, 0.2, 0.3])
      expect(trueUpliftAt(others, 'visit', effect, arm, share)).toBeGreaterThan(
        0.95 * trueUpliftAt(others, 'visit', response, arm, share),
      );
  });

  // A single log of so rare an outcome may mislead anybody: the average effect itself is known to a third of its size.
  test('of spend, of which one in a hundred has any, it is better than the average effect in the mean of six logs', async () => {
    let ratios = 0;
    for (const world of ['persuadable', 'proportional', 'same'] as const)
      for (const seed of [3, 5]) {
        const model = await learn(mailLog(mailCampaign(world, 32_000, seed), 'spend'));
        const others = mailCampaign(world, 20_000, seed + 1);
        const { arm, effect } = rank(model, others, 'spend');
        ratios +=
          trueUpliftAt(others, 'spend', effect, arm, 0.2) / trueUpliftAt(others, 'spend', effect, arm, 1) / 6;
      }
    expect(ratios).toBeGreaterThan(1);
  });
});

describe('on effects of one column', () => {
  // The reward is 1 + x₁ + effect + noise; arm 0 brings x₀, arm 1 always −0.3. Arms are chosen by lot, more of arm 0 where x₁ is high.
  const rows = 20_000;
  const columns = 2;
  const rng = createRng(8, 'effects');
  const contexts = Float32Array.from({ length: rows * columns }, () => rng.next());
  const chance = (row: number) => {
    const ofFirst = 0.2 + 0.4 * contexts[row * columns + 1]!;
    return [0.8 - ofFirst, ofFirst, 0.2];
  };
  const arm = Int32Array.from({ length: rows }, (_, row) => {
    const [none = 0, first = 0] = chance(row);
    const drawn = rng.next();
    return drawn < none ? -1 : drawn < none + first ? 0 : 1;
  });
  const noise = Float64Array.from({ length: rows }, () => rng.normal());
  const log: UpliftLog = {
    rows,
    columns,
    contexts,
    arm,
    propensity: Float64Array.from(arm, (a, row) => chance(row)[a + 1]!),
    reward: Float64Array.from(arm, (a, row) => {
      const effect = a === 0 ? contexts[row * columns]! : a === 1 ? -0.3 : 0;
      return 1 + contexts[row * columns + 1]! + effect + 0.5 * noise[row]!;
    }),
  };

  test('they are found, and are within two of their standard deviations as often as they should be', async () => {
    const model = await learn(log);
    const read = createUpliftReader(model);
    let inside = 0;
    const cases = 400;
    for (let row = 0; row < cases; row++) {
      const subject = read(contexts, row * columns);
      for (const [a, truth] of [contexts[row * columns]!, -0.3].entries()) {
        const found = effectOf(model.arms[a]!, subject);
        expect(Math.abs(found - truth)).toBeLessThan(0.15);
        if (Math.abs(found - truth) < 2 * effectSpread(model.arms[a]!, subject)) inside++;
      }
      expect(Math.abs(subject.untouched - 1 - contexts[row * columns + 1]!)).toBeLessThan(0.15);
    }
    // 95 % were they independent; they share their coefficients.
    expect(inside / (2 * cases)).toBeGreaterThan(0.8);
  });

  test('files and back: the same effects, also of an arm that the log has not', async () => {
    const model = await learn(log);
    const { arrays, tables } = upliftToFiles('purchase', model);
    const again = upliftFromFiles('purchase', arrays, JSON.parse(JSON.stringify(tables)));
    const [read, readAgain] = [createUpliftReader(model), createUpliftReader(again)];
    for (const id of ['mens', 'new']) {
      const [one, other] = [armEffect(model, { id, traits: {} }), armEffect(again, { id, traits: {} })];
      const [subject, subjectAgain] = [read(contexts, 8), readAgain(contexts, 8)];
      expect(effectOf(other, subjectAgain)).toBe(effectOf(one, subject));
      expect(effectSpread(other, subjectAgain)).toBe(effectSpread(one, subject));
    }
    expect(() => upliftFromFiles('churn', arrays, tables)).toThrow('uplift model churn');
    const { purchaseAxes: _, ...damaged } = arrays;
    expect(() => upliftFromFiles('purchase', damaged, tables)).toThrow('purchaseAxes must hold');
  });

  test('an effect that no sum of single columns can tell: trees take over, in the files too', async () => {
    const isHelped = (row: number) => contexts[row * columns]! > 0.5 !== contexts[row * columns + 1]! > 0.5;
    const model = await learn({
      ...log,
      reward: Float64Array.from(arm, (a, row) => (a >= 0 && isHelped(row) ? 0.6 : 0) + 0.5 * noise[row]!),
    });
    expect(model.learned.learner).toBe('trees');
    expect(model.learned.loss.trees).toBeLessThan(model.learned.loss.linear ?? Number.NaN);
    const { arrays, tables } = upliftToFiles('purchase', model);
    const read = createUpliftReader(upliftFromFiles('purchase', arrays, JSON.parse(JSON.stringify(tables))));
    const means = [0, 0];
    const counts = [0, 0];
    for (let row = 0; row < 1000; row++) {
      const side = isHelped(row) ? 1 : 0;
      means[side]! += effectOf(model.arms[0]!, read(contexts, row * columns));
      counts[side]!++;
    }
    expect(means[0]! / counts[0]!).toBeLessThan(0.15);
    expect(means[1]! / counts[1]!).toBeGreaterThan(0.45);
  });

  test('without a context everybody has the average effect', async () => {
    const model = await learn({ ...log, columns: 0, contexts: new Float32Array(0) });
    const subject = createUpliftReader(model)(new Float32Array(0), 0);
    // E[x₀] = ½ for the first arm.
    expect(effectOf(model.arms[0]!, subject)).toBeCloseTo(0.5, 1);
    expect(effectOf(model.arms[1]!, subject)).toBeCloseTo(-0.3, 1);
  });

  test('what cannot be learned from is refused', async () => {
    await expect(learn({ ...log, arm: arm.map(() => 0) })).rejects.toThrow('nobody was left alone');
    await expect(learn({ ...log, propensity: log.propensity.map(() => 0) })).rejects.toThrow(
      'outside (0, 1]',
    );
    await expect(learn({ ...log, reward: log.reward.map(() => Number.NaN) })).rejects.toThrow('not finite');
  });
});
