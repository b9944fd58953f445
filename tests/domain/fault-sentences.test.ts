import { expect, test } from 'vitest';
import { z } from 'zod';
import '../../src/domain/fault-sentences.ts';

const sentenceOf = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ message }) => message);

test.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, 'is missing: it must be a text'],
  [z.string(), 5, 'must be a text, not a number'],
  [z.int(), 1.5, 'must be a whole number, not a fraction'],
  [z.int(), Number.NaN, 'must be a whole number'],
  [z.number(), null, 'must be a number, not null'],
  [z.array(z.string()), 'a', 'must be a list, not a text'],
  [z.object({}), [], 'must be an object, not a list'],
  [z.record(z.string(), z.string()), 5, 'must be an object, not a number'],
  [z.boolean(), 'yes', 'must be true or false, not a text'],
  [z.strictObject({}), { a: 1 }, 'has no "a": leave it out, or look for a misspelling'],
  [
    z.strictObject({ b: z.string().optional(), c: z.int().optional() }),
    { a: 1 },
    'has no "a"; there are: b, c',
  ],
  [z.enum(['web', 'app']), 'fax', 'must be one of: web, app'],
  [z.literal(1), 2, 'must be 1'],
  [z.string().min(1), '', 'must not be empty'],
  [z.string().max(2), 'abc', 'must have at most 2 characters'],
  [z.array(z.string()).min(2), ['a'], 'must have at least 2 entries'],
  [z.string().length(1), 'ab', 'must have 1 character'],
  [z.number().min(3), 2, 'must be at least 3'],
  [z.number().gt(3), 3, 'must be above 3'],
  [z.number().lt(3), 3, 'must be below 3'],
  [z.number().multipleOf(5), 3, 'must be a multiple of 5'],
  [z.iso.datetime(), 'noon', 'must be a time such as 2026-11-23T10:00:00Z (ISO 8601, with a zone)'],
  [z.string().startsWith('a'), 'b', 'must begin with "a"'],
  [z.string().regex(/^\d$/), 'b', 'must match the pattern /^\\d$/'],
  [z.union([z.string(), z.number()]), true, 'fits none of the forms that are allowed'],
  [
    z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b') })]),
    { kind: 'c' },
    'must be one of: a, b',
  ],
  [z.string('must be a name'), 5, 'must be a name'],
])('a fault is a sentence that says what would be right (%#)', (schema, value, sentence) => {
  expect(sentenceOf(schema, value)).toEqual([sentence]);
});

test('no sentence repeats what was sent', () => {
  const schema = z.object({ email: z.email(), url: z.url(), id: z.enum(['a']), n: z.number() });
  const sent = {
    email: 'anna at example',
    url: 'anna at example',
    id: 'anna at example',
    n: 'anna at example',
  };
  expect(sentenceOf(schema, sent)).toHaveLength(4);
  expect(sentenceOf(schema, sent)?.join()).not.toContain('anna');
});
