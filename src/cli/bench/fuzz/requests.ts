/** The n-th request of a seed: one of the OpenAPI document's calls, made valid and then, mostly, spoilt. */
import { createRng } from '../../../algorithms/rng.ts';
import { createSampler, pick, type Schema } from './sample.ts';
import { type Draft, spoil } from './spoil.ts';

export type FuzzRequest = {
  /** As the document names it: `POST /items/{itemId}`. */
  call: string;
  /** How often it was spoilt; 0: it is meant to be valid. */
  spoilt: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  withoutHost: boolean;
  body: Buffer | undefined;
};

type Operation = {
  parameters?: readonly { in: string; name: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Readonly<Record<string, { schema: Schema }>> };
};
export type Document = {
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  components?: { schemas?: Readonly<Record<string, Schema>> };
};

export type FuzzOptions = {
  seed: number;
  /** Sent with nearly every request. */
  headers?: Readonly<Record<string, string>>;
  /** Values for parameters and properties of these names, so that requests meet what is there. */
  pools: Readonly<Record<string, readonly unknown[]>>;
};

/** What the schemas check by more than a pattern. */
const knownNames = {
  timeZone: ['Europe/Berlin', 'UTC'],
  currency: ['EUR'],
  segment: ['champion', 'atRisk', 'north'],
};

/** Calls that reckon for long are made less often. */
const seldom: Readonly<Record<string, number>> = { '/insights/retention': 0.1, '/experiments/{name}': 0.2 };

export function createFuzz(
  document: Document,
  { seed, headers = {}, pools }: FuzzOptions,
): (n: number) => FuzzRequest {
  const sampler = createSampler(document.components?.schemas ?? {}, { ...knownNames, ...pools });
  const calls = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
    })),
  );
  return (n) => {
    const rng = createRng('fuzz', seed, n);
    let call = pick(calls, rng);
    while (!rng.chance(seldom[call.path] ?? 1)) call = pick(calls, rng);
    const { path, method, operation } = call;
    const draft: Draft = { method, segments: [], query: [], headers: { ...headers }, body: undefined };
    const values = new Map<string, string>();
    for (const { in: place, name, required = false, schema } of operation.parameters ?? []) {
      if (place !== 'path' && !required && rng.chance(0.6)) continue;
      const value = sampler.sample(schema, rng, name);
      const text = encodeURIComponent(
        (Array.isArray(value) ? value.join() : String(value)).replace(/\p{Cs}/gu, '?'),
      );
      if (place === 'path') values.set(name, text);
      else draft.query.push([encodeURIComponent(name), text]);
    }
    draft.segments = path
      .slice(1)
      .split('/')
      .map((segment) => values.get(segment.slice(1, -1)) ?? segment);
    const contents = Object.entries(operation.requestBody?.content ?? {});
    const [type, content] = contents.length === 0 ? [undefined, undefined] : pick(contents, rng);
    if (type !== undefined && content !== undefined) {
      draft.headers['content-type'] = type;
      draft.body = sampler.sample(content.schema, rng);
    }
    const spoilt = rng.chance(0.15) ? 0 : 1 + rng.nextInt(3);
    for (let k = 0; k < spoilt; k++) spoil(draft, rng);
    if (spoilt > 0 && rng.chance(0.02)) draft.headers = {};
    return { call: `${method} ${path}`, spoilt, ...wireOf(draft, type) };
  };
}

function wireOf(draft: Draft, type: string | undefined): Omit<FuzzRequest, 'call' | 'spoilt'> {
  const search = draft.query.map(([name, value]) => `${name}=${value}`).join('&');
  const path = `${draft.rawPath ?? `/${draft.segments.join('/')}`}${search === '' ? '' : `?${search}`}`;
  return {
    method: draft.method,
    path,
    headers: draft.headers,
    withoutHost: draft.withoutHost === true,
    body: draft.rawBody ?? bodyOf(draft.body, type),
  };
}

function bodyOf(body: unknown, type: string | undefined): Buffer | undefined {
  if (body === undefined) return undefined;
  if (type?.includes('ndjson') === true && Array.isArray(body))
    return Buffer.from(body.map((line) => JSON.stringify(line)).join('\n'));
  return Buffer.from(JSON.stringify(body));
}
