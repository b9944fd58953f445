import { expect, test } from 'vitest';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import { refuseUnknownScenarios } from '../../src/serve/experiments.ts';
import { loadScenarios } from '../../src/serve/recommend/scenarios.ts';

const policyWith = (scenarios: Record<string, string>) =>
  DecisionPolicy.parse({
    experiments: [
      { name: 'page', from: '2026-06-01T00:00:00Z', variants: [{ name: 'a' }, { name: 'b', scenarios }] },
    ],
  });

test('an experiment that names a scenario which is not there stops the start, and says where', () => {
  const scenarios = loadScenarios(undefined);
  const refuse = (names: Record<string, string>) =>
    refuseUnknownScenarios(policyWith(names), scenarios, 'policy.json');
  expect(() => refuse({ home: 'popular' })).not.toThrow();
  expect(() => refuse({ home: 'hom', carts: 'cart' })).toThrow(
    /policy\.json is not valid:\n {2}experiments\.0\.variants\.1\.scenarios\.home: names the scenario "hom".*\n {2}experiments\.0\.variants\.1\.scenarios\.carts: names the scenario "carts"/,
  );
});
