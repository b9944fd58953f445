import { expect, test } from 'vitest';
import { z } from 'zod';
import { EventInput } from '../../src/domain/event.ts';
import { BODY_EXAMPLES } from '../../src/serve/body-examples.ts';
import { boundedFaults, faultsOf, maxFaults } from '../../src/serve/faults.ts';
import { ROUTES } from '../../src/serve/routes.ts';

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

test.each(
  ROUTES.flatMap(({ method, path, body }) =>
    body === undefined ? [] : [{ call: `${method} ${path}`, body }],
  ),
)('a field that there is not is answered with those that there are: $call', ({ call, body }) => {
  const example = BODY_EXAMPLES[call] as object;
  const [place, sent] = Array.isArray(example)
    ? ['body[0].colour', [{ ...example[0], colour: 'red' }]]
    : ['body.colour', { ...example, colour: 'red' }];
  const names = Object.keys(Array.isArray(example) ? example[0] : example);
  const message = faults(body, sent)[place];
  expect(message).toMatch(/^is not known here; there are: /);
  expect(message?.split(': ')[1]?.split(', ')).toEqual(expect.arrayContaining(names));
});

test('of each kind of event those of this kind, alone, in a list and within `events`, also beside other faults', () => {
  const known =
    'is not known here; there are: type, eventId, customerId, sessionId, occurredAt, channel, currency';
  const visit = { type: 'visit', customerId: 'a', colour: 'red' };
  expect(faults(oneOrMany, visit)).toEqual({ 'body.colour': known });
  expect(faults(oneOrMany, [visit])).toEqual({ 'body[0].colour': known });
  expect(faults(oneOrMany, { events: [visit] })).toEqual({ 'body.events[0].colour': known });
  const several = faults(oneOrMany, { ...visit, type: 'nps', eventId: '', channel: 'pigeon', score: 11 });
  expect(Object.keys(several).sort()).toEqual(['body.channel', 'body.colour', 'body.eventId', 'body.score']);
  expect(several['body.colour']).toBe(`${known}, score`);
  const line = { itemId: 'tea', colour: 'red' };
  expect(
    faults(oneOrMany, { ...visit, colour: undefined, type: 'view', lines: [line] })['body.lines[0].colour'],
  ).toBe('is not known here; there are: itemId, quantity, unitPriceMinor, discountMinor, category');
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
