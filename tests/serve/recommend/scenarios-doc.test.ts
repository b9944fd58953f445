import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { Boost, Diversity, NewItems, Rotation } from '../../../src/serve/recommend/arrange-rules.ts';
import { loadScenarios, Scenario } from '../../../src/serve/recommend/scenarios.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/scenarios.md'), 'utf8');

test('the example of docs/scenarios.md is a file that is taken', () => {
  const example = /```json\n(.*?)```/s.exec(page)?.[1] ?? '';
  const path = join(mkdtempSync(join(tmpdir(), 'nextbest-scenarios-')), 'scenarios.json');
  writeFileSync(path, example);
  const scenarios = loadScenarios(path);
  expect(scenarios.get('home')).toMatchObject({
    diversity: { lambda: 0.9, maxPerCategory: 0.4, maxPerBrand: 2, strict: false },
    rotation: { everyHours: 12, keepTop: 2, temperature: 0.1 },
  });
  expect(scenarios.get('till')?.includeBought).toBe('never');
});

test('docs/scenarios.md names every field with its default', () => {
  const nested = { diversity: Diversity, rotation: Rotation, newItems: NewItems };
  for (const [name, schema] of Object.entries(Scenario.shape)) {
    if (name !== 'diversity') expect(page).toContain(`| \`${name}\` |`);
    if (schema.safeParse(undefined).data === undefined) expect(page).toContain(`| \`${name}\` | none |`);
  }
  for (const [parent, { shape }] of Object.entries(nested)) {
    for (const [name, schema] of Object.entries(shape)) {
      const byDefault = (schema as z.ZodType).safeParse(undefined).data;
      const shown = byDefault === undefined ? '' : `\`${byDefault}\` `;
      expect(page).toContain(`| \`${parent}.${name}\` | ${shown}|`);
    }
  }
  for (const name of Object.keys(Boost.shape)) expect(page).toContain(`\`${name}\``);
});
