import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UsageError } from '../../../src/domain/errors.ts';
import { loadScenarios, Scenario, sourceWeights } from '../../../src/serve/recommend/scenarios.ts';

function scenarioFile(content: unknown): string {
  const path = join(mkdtempSync(join(tmpdir(), 'nextbest-scenarios-')), 'scenarios.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

test('a scenario weighs the learned mix by its loudest source, and adds its own weights', () => {
  const fusion = { weights: { ials: 2, neighbours: 1, buyAgain: 4, popularity: 0 }, rankConstant: 10 };
  const scenario = Scenario.parse({ learned: 0.5, weights: { ials: 1, similar: 3 } });
  expect(sourceWeights(scenario, fusion)).toEqual({
    ials: 0.5 * (2 / 4) + 1,
    neighbours: 0.5 * (1 / 4),
    buyAgain: 0.5 * (4 / 4),
    popularity: 0,
    boughtTogether: 0,
    similar: 3,
  });
});

test("a shop's file adds scenarios and replaces those of the same name; the others stay", () => {
  const scenarios = loadScenarios(
    scenarioFile({ till: { weights: { boughtTogether: 1 } }, home: { weights: { popularity: 2 } } }),
  );
  expect(scenarios.get('till')?.weights).toEqual({ boughtTogether: 1 });
  expect(scenarios.get('home')).toEqual(Scenario.parse({ weights: { popularity: 2 } }));
  expect(scenarios.get('cart')).toEqual(loadScenarios(undefined).get('cart'));
});

test('a wrong file is refused with its name and every fault in it', () => {
  const path = scenarioFile({
    till: { weights: { guessing: 1 } },
    'a b': { learned: 1 },
    home: { learned: -1 },
  });
  expect(() => loadScenarios(path)).toThrow(UsageError);
  expect(() => loadScenarios(path)).toThrow(new RegExp(`${path}[^]*till[^]*a b[^]*home`));
  expect(() => loadScenarios(scenarioFile('{'))).toThrow(/cannot be read/);
  expect(() => loadScenarios('/nowhere/scenarios.json')).toThrow(/nowhere/);
  expect(() => loadScenarios(scenarioFile({ till: { weights: {} } }))).toThrow(/weight above 0/);
  expect(() => loadScenarios(scenarioFile({ till: { learned: 1, weights: { guess: 1 } } }))).toThrow(
    /till.weights: has no "guess"; there are: ials,.*similar/,
  );
  expect(() => loadScenarios(scenarioFile({ till: { learned: 1, includeBought: 'sometimes' } }))).toThrow(
    /includeBought.*"never".*"whenDue".*"always"/,
  );
  expect(() => loadScenarios(scenarioFile({ till: { learned: 1, divers: {} } }))).toThrow(
    /till: has no "divers"; there are:.*diversity, rotation/,
  );
});
