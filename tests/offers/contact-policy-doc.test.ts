/** docs/contact-policy.md shows files that are taken, the defaults as they are, and every reason in its order. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { EXCLUSION_REASONS } from '../../src/domain/decision.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/contact-policy.md'), 'utf8');
const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => JSON.parse(text));

test('the first example is what holds without a file, the others are taken too', () => {
  const [defaults, ...others] = examples;
  expect(defaults.contact).toEqual(DecisionPolicy.parse({}).contact);
  expect(others.length).toBeGreaterThan(0);
  for (const example of examples) expect(DecisionPolicy.safeParse(example).error?.issues ?? []).toEqual([]);
});

test('every reason of the policy is told, in the order in which the rules are tried', () => {
  const told = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, reason]) => reason);
  const from = EXCLUSION_REASONS.indexOf('no-consent');
  const to = EXCLUSION_REASONS.indexOf('discount-open');
  expect(told).toEqual(EXCLUSION_REASONS.slice(from, to + 1));
});
