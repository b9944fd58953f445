/** The engine in the closed loop keeps the rules itself; the loop keeps none for it. */
import { expect, test } from 'vitest';
import { type LoopPolicy, runLoop } from '../../../../src/cli/bench/decide/closed-loop.ts';
import { openClosedShop } from '../../../../src/cli/bench/decide/closed-shop.ts';
import { type EngineOptions, nextbestPolicy } from '../../../../src/cli/bench/decide/nextbest.ts';
import { DecisionPolicy } from '../../../../src/domain/decision-policy.ts';
import { compileContactPolicy } from '../../../../src/offers/contact-policy.ts';

const closed = openClosedShop({ customers: 300, seed: 203, weeks: 2 });
/** By what is assumed of offers and customers: the rules are the same, and learning takes long. */
const unlearnt = (options: EngineOptions = {}): LoopPolicy => {
  const { learn: _learn, ...policy } = nextbestPolicy(closed, 1, { ...options, learns: 'never' });
  return policy;
};

test('the engine is handed everybody, and breaks nothing', async () => {
  const { breaches, contacts } = await runLoop(closed, unlearnt());
  expect(breaches).toEqual({});
  expect(contacts).toBeGreaterThan(0);
});

test('without its contact rules it is found out: nothing else keeps it from those who have refused', async () => {
  const lawless = {
    ...compileContactPolicy(DecisionPolicy.parse({}).contact),
    ruleFor: () => () => undefined,
    excludeEachOther: () => false,
  };
  const { breaches } = await runLoop(closed, unlearnt({ contactPolicy: lawless }));
  expect(breaches.consent).toBeGreaterThan(0);
});
