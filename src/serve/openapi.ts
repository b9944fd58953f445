/** The routes as an OpenAPI 3.1 document, from the very schemas that check the requests. */
import { STATUS_CODES } from 'node:http';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { BODY_EXAMPLES } from './body-examples.ts';
import { PROBLEM_TYPE, Problem } from './problem.ts';
import { NDJSON_TYPE, type Route } from './route.ts';

export type OpenApiDocument = ReturnType<typeof createDocument>;

export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'nextbest',
      version,
      description:
        'Product recommendations, next best offers and churn risk for a retailer. Ids are strings, money is in minor ' +
        `units (1599 for 15.99 EUR), also \`expectedValue\`, times are ISO 8601. Errors are \`${PROBLEM_TYPE}\` with a stable \`code\` and one entry in \`faults\` for ` +
        'each thing that is wrong.',
    },
    servers: [{ url: '.', description: 'This service' }],
    paths,
    components: { securitySchemes },
  });
}

/** A key in either header. The names in a call's `security` are the scopes that it asks for. */
const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key: `nextbest keys create` makes one' },
  apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The same key' },
} as const;

/** No key that is good, none with the scope, too many calls with it, too much for the process. */
const admissionProblems = [401, 403, 429, 503];

function operationOf(route: Route) {
  const open = route.scope === 'public';
  const example = BODY_EXAMPLES[`${route.method} ${route.path}`];
  const responses: NonNullable<ZodOpenApiOperationObject['responses']> = {};
  for (const [status, schema] of Object.entries(route.responses)) {
    responses[status as `${1 | 2 | 3 | 4 | 5}${string}`] = {
      description: STATUS_CODES[Number(status)] ?? '',
      ...(schema !== null && {
        content: Object.fromEntries(
          [route.answerType, ...route.moreAnswerTypes].map((type) => [type, { schema }]),
        ),
      }),
    };
  }
  for (const status of [400, ...(open ? [] : admissionProblems), ...route.problems, 500]) {
    responses[String(status) as `${1 | 2 | 3 | 4 | 5}${string}`] = {
      description: STATUS_CODES[status] ?? '',
      content: { [PROBLEM_TYPE]: { schema: Problem } },
    };
  }
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    tags: [...route.tags],
    security: open ? [] : Object.keys(securitySchemes).map((name) => ({ [name]: [route.scope] })),
    requestParams: {
      ...(route.params !== undefined && { path: route.params }),
      ...(route.query !== undefined && { query: route.query }),
    },
    ...(route.body !== undefined && {
      requestBody: {
        required: !route.body.safeParse(undefined).success,
        content: Object.fromEntries(
          route.bodyTypes.map((type) => [
            type,
            {
              schema: route.body,
              ...(example !== undefined && { example: type === NDJSON_TYPE ? linesOf(example) : example }),
              ...(type === NDJSON_TYPE && { 'x-stream': 'one element of the array a line' }),
            },
          ]),
        ),
      },
    }),
    responses,
  };
}

/** An array as NDJSON. */
function linesOf(example: unknown): string {
  return [example]
    .flat()
    .map((element) => JSON.stringify(element))
    .join('\n');
}

/** `GET /items/{itemId}/similar` → `getItemsItemIdSimilar`. */
function operationId(route: Route): string {
  const words = route.path.match(/\w+/g) ?? [];
  return route.method.toLowerCase() + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
}
