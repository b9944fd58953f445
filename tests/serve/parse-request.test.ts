import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AppError } from '../../src/domain/errors.ts';
import type { Deps } from '../../src/serve/deps.ts';
import { parseRequest, type RawRequest } from '../../src/serve/parse-request.ts';
import { Count, Flag, list } from '../../src/serve/query.ts';
import { defineRoute, JSON_TYPE, NDJSON_TYPE } from '../../src/serve/route.ts';

const route = defineRoute({
  method: 'POST',
  scope: 'public',
  path: '/things/{id}',
  summary: 'a route for the test',
  tags: ['test'],
  params: z.strictObject({ id: z.string().max(3) }),
  query: z.strictObject({ n: Count, flag: Flag, exclude: list(z.string().max(5), 3) }),
  body: z.array(z.strictObject({ x: z.int() })).min(1),
  bodyTypes: [JSON_TYPE, NDJSON_TYPE],
  responses: { 204: null },
  handler: () => ({ status: 204, body: undefined }),
});

function parse(raw: Partial<Omit<RawRequest, 'body'>> & { body?: string | Buffer }) {
  return parseRequest(
    route,
    {
      params: { id: 'a' },
      search: '',
      contentType: JSON_TYPE,
      ...raw,
      body: Buffer.from(raw.body ?? '[{"x":1}]'),
    },
    {} as Deps,
  );
}

function faultsOf(raw: Parameters<typeof parse>[0]): string[] {
  try {
    parse(raw);
  } catch (err) {
    if (err instanceof AppError && err.code === 'INVALID_REQUEST') return err.faults.map(({ path }) => path);
    throw err;
  }
  return [];
}

test('faults of path, query and body are all named at once', () => {
  expect(
    faultsOf({
      params: { id: 'long' },
      search: 'n=0&flag=maybe&colour=red',
      body: '[{"x":1.5},{"y":2}]',
    }).sort(),
  ).toEqual(['body[0].x', 'body[1].x', 'body[1].y', 'params.id', 'query.colour', 'query.flag', 'query.n']);
});

test('a parameter that is not known is answered with those that are', () => {
  expect(() => parse({ search: 'colour=red' })).toThrow(
    expect.objectContaining({
      faults: [{ path: 'query.colour', message: 'is not known here; there are: n, flag, exclude' }],
    }),
  );
});

test('query parameters have their defaults, and their types', () => {
  expect(parse({}).query).toEqual({ n: 10, flag: false, exclude: [] });
  expect(parse({ search: 'n=7&flag=true&exclude=a,b&exclude=c' }).query).toEqual({
    n: 7,
    flag: true,
    exclude: ['a', 'b', 'c'],
  });
});

test.each(['n=', 'n=x', 'n=1.5', 'n=101', 'n=-1', 'n=1&n=2', 'n=NaN', 'n=Infinity', 'n=1e9'])(
  '?%s is no count',
  (search) => expect(faultsOf({ search })).toEqual(['query.n']),
);

test('lists are bounded and their elements checked', () => {
  expect(faultsOf({ search: 'exclude=a,b,c,d' })).toEqual(['query.exclude']);
  expect(faultsOf({ search: 'exclude=a,toolong' })).toEqual(['query.exclude[1]']);
});

test('names of the prototype are parameters like any other: refused', () => {
  expect(faultsOf({ search: '__proto__=1&constructor=2' }).sort()).toEqual([
    'query.__proto__',
    'query.constructor',
  ]);
});

test('NDJSON is read line by line, empty lines passed over, and every bad line named', () => {
  const lines = { contentType: `${NDJSON_TYPE}; charset=utf-8` };
  expect(parse({ ...lines, body: '{"x":1}\n\n{"x":2}\r\n' }).body).toEqual([{ x: 1 }, { x: 2 }]);
  expect(faultsOf({ ...lines, body: '{"x":1}\n{oops\n{"x":3}\nnope\n' })).toEqual(['body[1]', 'body[3]']);
});

test('a body that is missing, no JSON, or no UTF-8 is a fault of the body', () => {
  expect(faultsOf({ body: '' })).toEqual(['body']);
  expect(faultsOf({ body: '[{' })).toEqual(['body']);
  expect(faultsOf({ body: Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]) })).toEqual(['body']);
});

test.each(['text/plain', undefined, 'application/json; charset=latin1', 'multipart/form-data; boundary=x'])(
  'a body of type %s is not read',
  (contentType) => {
    expect(() => parse({ contentType })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_MEDIA_TYPE' }));
  },
);

describe('a check beyond the schemas', () => {
  const seen: unknown[] = [];
  const checked = defineRoute({
    method: 'PUT',
    scope: 'public',
    path: '/things/{id}',
    summary: 'a route for the test',
    tags: ['test'],
    params: z.strictObject({ id: z.string().max(3) }),
    query: z.strictObject({ n: Count, place: z.string().optional() }),
    body: z.strictObject({ x: z.int(), y: z.int().default(7) }),
    responses: { 204: null },
    check: (input) => {
      seen.push(input);
      return input.query.place === 'nowhere' ? [{ path: 'query.place', message: 'is not there' }] : [];
    },
    handler: () => ({ status: 204, body: undefined }),
  });
  const faultPaths = (search: string, body: string) => {
    const raw = { params: { id: 'a' }, search, contentType: JSON_TYPE, body: Buffer.from(body) };
    try {
      parseRequest(checked, raw, {} as Deps);
      return [];
    } catch (err) {
      return (err as AppError).faults.map(({ path }) => path);
    }
  };

  test('adds its faults to those of the schemas', () => {
    expect(faultPaths('place=nowhere&n=500', '{"x":1.5}')).toEqual(['query.n', 'body.x', 'query.place']);
    expect(faultPaths('place=nowhere', '{"x":1}')).toEqual(['query.place']);
    expect(faultPaths('place=here', '{"x":1}')).toEqual([]);
  });

  test.each([
    ['{"x":1.5,"y":2}', { y: 2 }],
    ['{"x":1,"z":2}', { x: 1, y: 7 }],
    ['{broken', {}],
    ['null', {}],
    ['[1]', {}],
  ])('sees of the body %s what is well formed of it', (body, fields) => {
    seen.length = 0;
    expect(faultPaths('', body).length).toBeGreaterThan(0);
    expect(seen).toEqual([{ params: { id: 'a' }, query: { n: 10 }, body: fields, search: '' }]);
  });
});
