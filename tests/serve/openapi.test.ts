import { expect, test } from 'vitest';
import { BODY_EXAMPLES } from '../../src/serve/body-examples.ts';
import { openApiDocument } from '../../src/serve/openapi.ts';
import { NDJSON_TYPE } from '../../src/serve/route.ts';
import { ROUTES } from '../../src/serve/routes.ts';

const document = JSON.parse(JSON.stringify(openApiDocument(ROUTES, '1.2.3')));

type Operation = {
  operationId: string;
  summary: string;
  parameters?: { in: string; name: string; required?: boolean; schema: unknown }[];
  requestBody?: { content: Record<string, { schema: unknown; example?: unknown }> };
  responses: Record<string, { content?: Record<string, { schema: unknown }> }>;
};

const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
  ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

function refsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner),
  );
}

test('every route is there once, with an answer for every status that it gives', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(
    ROUTES.map(({ path, method }) => `${method} ${path}`).sort(),
  );
  for (const route of ROUTES) {
    const { responses } = document.paths[route.path][route.method.toLowerCase()] as Operation;
    for (const [status, schema] of Object.entries(route.responses)) {
      expect(responses, `${route.method} ${route.path}`).toHaveProperty(status);
      if (schema !== null) expect(responses[status]?.content?.[route.answerType]?.schema).toBeDefined();
    }
    for (const status of [400, ...route.problems, 500])
      expect(responses[status]?.content).toHaveProperty(['application/problem+json']);
  }
});

test('every reference leads to a component', () => {
  const refs = refsIn(document);
  expect(refs.length).toBeGreaterThan(20);
  for (const ref of refs) {
    const [, , kind, name] = ref.split('/');
    expect(document.components?.[kind ?? '']?.[name ?? ''], ref).toBeDefined();
  }
});

test('parameters of the path are all declared, and ids of operations are unique', () => {
  for (const { path, operation } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    expect(declared.map(({ name }) => name)).toEqual(inPath);
    expect(declared.every(({ required }) => required === true)).toBe(true);
    expect(operation.summary).not.toBe('');
  }
  const operationIds = operations.map(({ operation }) => operation.operationId);
  expect(new Set(operationIds).size).toBe(operationIds.length);
});

test('what is enforced is what is documented: defaults, bounds, lists', () => {
  const { parameters } = document.paths['/recommendations'].get as Operation;
  const schemaOf = (name: string) => parameters?.find((parameter) => parameter.name === name)?.schema;
  expect(schemaOf('n')).toMatchObject({ type: 'integer', minimum: 1, maximum: 100, default: 10 });
  expect(schemaOf('exclude')).toMatchObject({ type: 'array', items: { type: 'string' } });
  expect(schemaOf('explain')).toMatchObject({ enum: ['true', 'false'] });
});

test('a query that is not strict would let a misspelt parameter pass: none is, but that of e-mail tools, which append their own', () => {
  const lenient = '/customers/{customerId}/offers';
  for (const { query, path } of ROUTES) {
    if (query !== undefined && path !== lenient)
      expect(query.safeParse({ noSuchParameter: 'x' }).success, path).toBe(false);
  }
});

test('every body has an example that its call takes, so that /docs shows none of random characters', () => {
  const bodies = ROUTES.filter((route) => route.body !== undefined);
  expect(Object.keys(BODY_EXAMPLES).sort()).toEqual(
    bodies.map(({ method, path }) => `${method} ${path}`).sort(),
  );
  for (const { method, path, body, bodyTypes } of bodies) {
    const { requestBody } = document.paths[path][method.toLowerCase()] as Operation;
    for (const type of bodyTypes) {
      const example = requestBody?.content[type]?.example;
      const sent =
        type === NDJSON_TYPE
          ? String(example)
              .split('\n')
              .map((line) => JSON.parse(line))
          : example;
      expect(body?.safeParse(sent).error?.issues, `${method} ${path} ${type}`).toBeUndefined();
    }
  }
});
