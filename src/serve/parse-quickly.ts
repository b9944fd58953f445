/**
 * The ordinary request, read without the machinery for the others: each parameter is known, given once and well formed. Each is
 * checked by its own field of the very schema that `parseRequest` checks by; whatever is out of the ordinary is left to that,
 * which tells what is wrong.
 */
import { z } from 'zod';
import type { RawRequest } from './parse-request.ts';
import { createRecentAnswers, type RecentAnswers } from './recent-answers.ts';
import type { Route, RouteInput } from './route.ts';

type Field = {
  name: string;
  /** Its own, to note which ones have been given. */
  bit: number;
  schema: z.ZodType;
  /** What an absent one is read as; undefined in place of the whole: it may not be absent. */
  absent: { value: unknown } | undefined;
  /** Texts that are read as something else than themselves: numbers, flags, lists. There are few of them. */
  read: Map<string, unknown>;
};

/** `params` undefined: there are none in the path. */
type Plan = {
  params: readonly Field[] | undefined;
  query: ReadonlyMap<string, Field>;
  /** What whole queries were read as. */
  queries: RecentAnswers<Readonly<Record<string, unknown>>>;
};

const textsMax = 1000;
/** Bytes, as `createRecentAnswers` counts them: as many queries as there may be kept pages of customers (`shown-pages.ts`). */
const queriesBytes = 8 * 2 ** 20;

const plans = new WeakMap<Route, Plan | null>();

/** undefined: not ordinary, or a route that is not asked often enough to be worth it. */
export function parseQuickly(route: Route, raw: RawRequest): RouteInput | undefined {
  let plan = plans.get(route);
  if (plan === undefined) {
    plan = planOf(route) ?? null;
    plans.set(route, plan);
  }
  if (plan === null) return undefined;
  const params: Record<string, unknown> | undefined = plan.params && {};
  for (const field of plan.params ?? []) {
    const text = raw.params[field.name];
    if (params === undefined || typeof text !== 'string' || !readInto(params, field, text)) return undefined;
  }
  let query = plan.queries.get(raw.search);
  if (query === undefined) {
    query = readQuery(plan.query, raw.search);
    if (query !== undefined) plan.queries.put(raw.search, Object.freeze(query), raw.search.length);
  }
  return query && { params, query, body: undefined, accept: raw.accept, search: raw.search };
}

function readQuery(fields: Plan['query'], search: string): Record<string, unknown> | undefined {
  const query: Record<string, unknown> = {};
  for (const { name, absent } of fields.values()) query[name] = absent?.value;
  let given = 0;
  for (let at = 0; at < search.length; ) {
    const next = search.indexOf('&', at);
    const end = next < 0 ? search.length : next;
    const equals = search.indexOf('=', at);
    if (equals < 0 || equals >= end) return undefined;
    const field = fields.get(search.slice(at, equals));
    const text = decoded(search.slice(equals + 1, end));
    if (field === undefined || text === undefined || (given & field.bit) !== 0) return undefined;
    if (!readInto(query, field, text)) return undefined;
    given |= field.bit;
    at = end + 1;
  }
  for (const { absent, bit } of fields.values())
    if (absent === undefined && (given & bit) === 0) return undefined;
  return query;
}

/** As a form has it; undefined: only a form's own reader can tell. */
function decoded(text: string): string | undefined {
  if (text.includes('+')) return undefined;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function readInto(into: Record<string, unknown>, { name, schema, read }: Field, text: string): boolean {
  const known = read.get(text);
  if (known !== undefined) {
    into[name] = known;
    return true;
  }
  const parsed = schema.safeParse(text);
  if (!parsed.success) return false;
  into[name] = parsed.data;
  if (parsed.data !== text && parsed.data !== undefined) {
    if (read.size >= textsMax) read.clear();
    read.set(text, shared(parsed.data));
  }
  return true;
}

/** Whoever gets it is not to change it for the others. */
function shared<T>(value: T): T {
  return Array.isArray(value) ? Object.freeze(value) : value;
}

function planOf(route: Route): Plan | undefined {
  if (!route.hot || route.body !== undefined) return undefined;
  const params = fieldsOf(route.params);
  const query = fieldsOf(route.query);
  if (params === undefined || query === undefined) return undefined;
  return {
    params: route.params && params,
    query: new Map(query.map((field) => [field.name, field])),
    queries: createRecentAnswers(queriesBytes),
  };
}

/** undefined: a rule of the whole object says more than its fields. */
function fieldsOf(schema: z.ZodObject | undefined): Field[] | undefined {
  if (schema === undefined) return [];
  const entries = Object.entries(schema.shape);
  if ((schema.def.checks ?? []).length > 0 || entries.length > 31) return undefined;
  return entries.map(([name, field], at) => {
    const absent = z.safeParse(field, undefined);
    return {
      name,
      bit: 1 << at,
      schema: field as z.ZodType,
      absent: absent.success ? { value: shared(absent.data) } : undefined,
      read: new Map(),
    };
  });
}
