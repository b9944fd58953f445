/** Checks a request against its route's schemas, gathering every fault of path, query and body before it refuses. */
import { z } from 'zod';
import { AppError, type Fault } from '../domain/errors.ts';
import type { Deps } from './deps.ts';
import { boundedFaults, faultsOf, type RequestPart } from './faults.ts';
import { parseQuickly } from './parse-quickly.ts';
import { NDJSON_TYPE, type Route, type RouteInput } from './route.ts';

export type RawRequest = {
  params: Readonly<Record<string, unknown>>;
  /** The URL's query, without `?`. */
  search: string;
  contentType: string | undefined;
  accept?: string | undefined;
  /** undefined or empty: there was none. */
  body: Buffer | undefined;
};

/** @throws AppError INVALID_REQUEST with every fault, or UNSUPPORTED_MEDIA_TYPE. */
export function parseRequest(route: Route, raw: RawRequest, deps: Deps): RouteInput {
  const ordinary = parseQuickly(route, raw);
  if (ordinary !== undefined && route.check(ordinary, deps).length === 0) return ordinary;
  const faults: Fault[] = [];
  const check = (schema: z.ZodType, value: unknown, part: RequestPart): unknown => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    faults.push(...faultsOf(parsed.error, part));
    return wellFormedFields(schema, value);
  };

  const params = route.params === undefined ? undefined : check(route.params, raw.params, 'params');
  const query = route.forgivesQuery ? forgiven(parseQuery(raw.search), route.query) : parseQuery(raw.search);
  const parsedQuery = route.query === undefined ? undefined : check(route.query, query, 'query');
  if (route.query === undefined) {
    for (const name of Object.keys(query))
      faults.push({ path: `query.${name}`, message: 'is not known here' });
  }
  let body: unknown = route.body instanceof z.ZodObject ? {} : undefined;
  if (route.body !== undefined) {
    const read = readBody(route, raw);
    if (read.faults.length > 0) faults.push(...read.faults);
    else body = check(route.body, read.value, 'body');
  }
  const input = { params, query: parsedQuery, body, accept: raw.accept, search: raw.search };
  faults.push(...route.check(input, deps));
  if (faults.length > 0) {
    throw new AppError('INVALID_REQUEST', {
      public: faults.length === 1 ? 'The request has a fault.' : `The request has ${faults.length} faults.`,
      faults: boundedFaults(faults),
    });
  }
  return input;
}

/** Of an object that is malformed as a whole, the fields that are right; undefined for any other schema. */
function wellFormedFields(schema: z.ZodType, value: unknown): Record<string, unknown> | undefined {
  if (!(schema instanceof z.ZodObject)) return undefined;
  const fields: Record<string, unknown> = {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fields;
  for (const [name, field] of Object.entries(schema.shape)) {
    const given = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    const parsed = z.safeParse(field, given);
    if (parsed.success) fields[name] = parsed.data;
  }
  return fields;
}

/** A parameter that is given more than once becomes an array. */
function parseQuery(search: string): Record<string, string | string[]> {
  // Without a prototype, `?__proto__=x` is a parameter like any other, and as such refused.
  const query: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(search)) {
    const before = query[name];
    if (before === undefined) query[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else query[name] = [before, value];
  }
  return query;
}

/**
 * What tools append to every link that they send, and to each request against caches: `utm_…` and what analytics of links add besides,
 * Mailchimp's `mc_…`, the click ids of advertisers, whatever begins with an underscore. docs/offers.md names them.
 */
const appendedByTools = /^(?:utm_.*|mc_.*|_.*|[a-z]+cl(?:k)?id|mkt_tok)$/;

/** Without what tools append and parameters that are empty, and of what is given more than once the last. */
function forgiven(
  query: Record<string, string | string[]>,
  schema: Route['query'],
): Record<string, string | string[]> {
  // Empty or not, one that there is not may be misspelt.
  const isKnown = (name: string) => schema !== undefined && Object.hasOwn(schema.shape, name);
  const lasts = Object.entries(query).map(([name, value]) => [name, [value].flat().at(-1) ?? ''] as const);
  return Object.fromEntries(
    lasts.filter(([name, value]) => (isKnown(name) ? value !== '' : !appendedByTools.test(name))),
  );
}

type ReadBody = { value: unknown; faults: Fault[] };

function readBody(route: Route, raw: RawRequest): ReadBody {
  if (raw.body === undefined || raw.body.length === 0) {
    const optional = route.body?.safeParse(undefined).success === true;
    return { value: undefined, faults: optional ? [] : [{ path: 'body', message: 'is required' }] };
  }
  const type = mediaType(raw.contentType);
  if (type.name === undefined || !route.bodyTypes.includes(type.name) || !type.utf8) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', {
      public: `Send the body as ${route.bodyTypes.join(' or ')}, in UTF-8.`,
    });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(raw.body);
  } catch {
    return { value: undefined, faults: [{ path: 'body', message: 'is not valid UTF-8' }] };
  }
  return type.name === NDJSON_TYPE ? parseLines(text) : parseJson(text);
}

function mediaType(header: string | undefined): { name: string | undefined; utf8: boolean } {
  const [name, ...parameters] = (header ?? '').toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => parameter.trim())
    .find((parameter) => parameter.startsWith('charset='));
  return {
    name: name?.trim() || undefined,
    utf8: charset === undefined || /^charset="?utf-?8"?$/.test(charset),
  };
}

function parseJson(text: string): ReadBody {
  try {
    return { value: JSON.parse(text), faults: [] };
  } catch {
    return { value: undefined, faults: [{ path: 'body', message: 'is not valid JSON' }] };
  }
}

/** Empty lines are passed over; `body[i]` is the i-th of the others. */
function parseLines(text: string): ReadBody {
  const value: unknown[] = [];
  const faults: Fault[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      value.push(JSON.parse(line));
    } catch {
      faults.push({ path: `body[${value.length}]`, message: `line ${index + 1} is not valid JSON` });
      value.push(undefined);
    }
  }
  return { value, faults };
}
