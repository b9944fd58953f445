/** docs/experiments.md shows a policy that is taken, and defines every outcome and everything that a variant may change. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { DecisionPolicy, ExperimentVariant } from '../../../src/domain/decision-policy.ts';
import { OUTCOMES } from '../../../src/insights/experiments/outcomes.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/experiments.md'), 'utf8');

test('the policy of the page is taken', () => {
  const policy = DecisionPolicy.parse(JSON.parse(/```json\n([\s\S]+?)```/.exec(page)?.[1] ?? ''));
  expect(policy.experiments.map(({ name }) => name)).toEqual(['spring-ranking', 'home-page']);
});

test('its tables have every outcome, and every field of a variant', () => {
  const firstCells = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  const changes = Object.keys(ExperimentVariant.shape).filter((name) => !['name', 'weight'].includes(name));
  expect(firstCells).toEqual([...changes, ...OUTCOMES]);
});
