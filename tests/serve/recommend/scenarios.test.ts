import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UsageError } from '../../../src/domain/errors.ts';
import { loadScenarios, Scenario, sourceWeights } from '../../../src/serve/recommend/scenarios.ts';

function scenarioFile(content: unknown): string {
  const path = join(mkdtempSync(join(tmpdir(), 'nextbest-scenarios-')), 'scenarios.json');
  writeFileSync(
    path,
    typeof content === 'string' || content instanceof Buffer ? content : JSON.stringify(content),
  );
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
    /includeBought: must be one of: never, whenDue, always/,
  );
  expect(() => loadScenarios(scenarioFile({ till: { learned: 1, divers: {} } }))).toThrow(
    /till: has no "divers"; there are:.*diversity, rotation/,
  );
});

test('what is no object of scenarios is told what it should be, and where one is shown', () => {
  for (const content of ['[]', 'null', '"home"'])
    expect(() => loadScenarios(scenarioFile(content))).toThrow(
      /must hold an object of scenarios by name.*docs\/scenarios\.md/,
    );
  expect(() => loadScenarios(scenarioFile(''))).toThrow(/it is empty.*docs\/scenarios\.md/);
  expect(() => loadScenarios(scenarioFile(Buffer.from('{"home":{"learned":1}}', 'utf16le')))).toThrow(
    UsageError,
  );
  expect(() => loadScenarios(scenarioFile(Buffer.from([0x7b, 0xff])))).toThrow(/save it as UTF-8/);
});

test('a byte order mark does not matter', () => {
  const path = scenarioFile('\ufeff{"till":{"learned":1}}');
  expect(loadScenarios(path).get('till')).toEqual(Scenario.parse({ learned: 1 }));
});

test('names are told what they must be, __proto__ too', () => {
  expect(() => loadScenarios(scenarioFile({ '1 bad': { learned: 1 } }))).toThrow(
    /1 bad: must be a short word/,
  );
  expect(() => loadScenarios(scenarioFile('{"__proto__":{"learned":1}}'))).toThrow(
    /__proto__: must be a short word/,
  );
});

test('a file that is wrong throughout, or endless, is answered in a few lines', () => {
  const wrong = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`s${i}`, { leaned: 1 }]));
  const message = messageOf(() => loadScenarios(scenarioFile(wrong)));
  expect(message).toMatch(/s0: has no "leaned"[\s\S]*and \d+ more/);
  expect(message.split('\n').length).toBeLessThan(30);
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`s${i}`, { learned: 1 }]));
  expect(() => loadScenarios(scenarioFile(many))).toThrow(/1001 scenarios; at most 1000/);
  expect(() => loadScenarios(scenarioFile(Buffer.alloc(17 * 1024 * 1024, 0x20)))).toThrow(/bytes; at most/);
});

test('a rule that can never hold is refused', () => {
  const never = { from: '2026-12-01T00:00:00Z', until: '2026-12-01T00:00:00Z' };
  const pins = [{ itemId: 'i1', position: 1, ...never }];
  const boosts = [{ brands: ['elm'], factor: 2, ...never }];
  expect(() => loadScenarios(scenarioFile({ till: { learned: 1, pins } }))).toThrow(
    /till\.pins\.0\.until: must be later than from/,
  );
  expect(() => loadScenarios(scenarioFile({ till: { learned: 1, boosts } }))).toThrow(
    /till\.boosts\.0\.until: must be later than from/,
  );
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (err) {
    return String(err);
  }
  return '';
}
