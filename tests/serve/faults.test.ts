import { expect, test } from 'vitest';
import { z } from 'zod';
import { EventInput } from '../../src/domain/event.ts';
import { boundedFaults, faultsOf, maxFaults } from '../../src/serve/faults.ts';

function faults(schema: z.ZodType, value: unknown): Record<string, string> {
  const { error } = schema.safeParse(value);
  return Object.fromEntries(
    (error ? faultsOf(error, 'body') : []).map(({ path, message }) => [path, message]),
  );
}

const oneOrMany = z.union([
  EventInput,
  z.array(EventInput).max(2),
  z.strictObject({ events: z.array(EventInput) }),
]);

test('every fault is named with its path, unknown fields one by one', () => {
  const schema = z.strictObject({ a: z.object({ b: z.array(z.int()) }), c: z.string() });
  expect(Object.keys(faults(schema, { a: { b: [1, 'x', 2.5] }, d: 1, e: 2 })).sort()).toEqual([
    'body.a.b[1]',
    'body.a.b[2]',
    'body.c',
    'body.d',
    'body.e',
  ]);
});

test('a value that fits no branch of a union is judged by the branch that it resembles', () => {
  expect(Object.keys(faults(oneOrMany, { type: 'purchase', customerId: 'a', lines: [] }))).toEqual([
    'body.lines',
  ]);
  expect(Object.keys(faults(oneOrMany, [{ type: 'visit', customerId: 'a', x: 1 }]))).toEqual(['body[0].x']);
  expect(Object.keys(faults(oneOrMany, { events: [{ type: 'visit' }] }))).toEqual([
    'body.events[0].customerId',
  ]);
  expect(faults(oneOrMany, 5)).toEqual({ body: 'must be an object or a list' });
  const visit = { type: 'visit', customerId: 'a' };
  expect(faults(oneOrMany, [visit, visit, visit]).body).toMatch(/2/);
});

test('a wrong kind of event is answered with the list of kinds', () => {
  expect(faults(oneOrMany, { type: 'sale', customerId: 'a' })['body.type']).toMatch(/purchase.*addToCart/);
});

test('a time that is no time says what a time is', () => {
  const found = faults(oneOrMany, { type: 'visit', customerId: 'a', occurredAt: 'yesterday' });
  expect(found['body.occurredAt']).toMatch(/ISO/);
});

test('a value of another type altogether is answered with the types that would do', () => {
  expect(faults(oneOrMany, 5).body).toMatch(/^must be an object or a list$/);
});

test('the list of faults is bounded and says how many more there are', () => {
  const many = Array.from({ length: maxFaults + 7 }, (_, i) => ({ path: `body[${i}]`, message: 'no' }));
  const bounded = boundedFaults(many);
  expect(bounded).toHaveLength(maxFaults + 1);
  expect(bounded.at(-1)?.message).toContain('7 more');
});
