/**
 * A route as data. One definition is mounted into Express, checked on every request and turned into OpenAPI, so that
 * what is documented is what is enforced. The handler is a plain function of (input, deps): it sees no Express.
 */
import type { z } from 'zod';
import type { Fault } from '../domain/errors.ts';
import type { Access } from './admission/admit.ts';
import type { Deps } from './deps.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

export const JSON_TYPE = 'application/json';
/** One JSON value a line; read as the array of them. */
export const NDJSON_TYPE = 'application/x-ndjson';

/** Each status that the handler answers with, and the schema of its JSON body; null = no body. Problems are implied. */
export type ResponseSchemas = Readonly<Record<number, z.ZodType | null>>;

/** A body that is JSON already: what is answered over and over is not written anew each time. */
export class JsonText<Body> {
  readonly text: string | Buffer;
  /** Of the text in UTF-8: to count it takes as long as to write it. */
  readonly bytes: number;
  /** For the type checker alone. */
  declare readonly body: Body;

  constructor(text: string | Buffer, bytes = Buffer.byteLength(text)) {
    this.text = text;
    this.bytes = bytes;
  }
}

/** What the handler returns: one of the declared statuses with the body that belongs to it. */
export type Reply<R extends ResponseSchemas> = {
  [S in keyof R & number]: {
    status: S;
    /** A stream has elements of the schema, as text. */
    body: R[S] extends z.ZodType
      ? z.input<R[S]> | JsonText<z.input<R[S]>> | AsyncIterable<string>
      : undefined;
    headers?: Readonly<Record<string, string>>;
    /** Where the body is not of the route's `answerType`. */
    type?: string;
  };
}[keyof R & number];

type Parsed<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : undefined;

/** What is well formed of a part that need not be: an object's fields one by one, anything else whole. */
type WellFormed<S extends z.ZodType | undefined> = S extends z.ZodObject
  ? Partial<z.output<S>>
  : S extends z.ZodType
    ? z.output<S> | undefined
    : undefined;

export type RouteDefinition<
  P extends z.ZodObject | undefined,
  Q extends z.ZodObject | undefined,
  B extends z.ZodType | undefined,
  R extends ResponseSchemas,
> = {
  method: Method;
  /** As in OpenAPI: `/items/{itemId}/similar`. */
  path: string;
  /** What a key must be good for to make this call; `public`: no key is asked for. */
  scope: Access;
  summary: string;
  /** More than fits the summary, in Markdown. */
  description?: string;
  tags: readonly [string, ...string[]];
  params?: P;
  /** With `z.strictObject`, a query parameter that is not named in it is a fault, as is any where there is no schema. */
  query?: Q;
  /**
   * Parameters that are empty count as left out, of one that is given twice the last counts, and what e-mail tools append to every
   * link (`utm_source`) is passed over: merge fields fill them in, not programmers.
   */
  forgivesQuery?: boolean;
  body?: B;
  /** Media types that the body may have; JSON unless said otherwise. */
  bodyTypes?: readonly string[];
  /** Type of the answer's body where it is not JSON (it is then a string, or bytes). */
  answerType?: string;
  /** Types that a client may ask for instead. */
  moreAnswerTypes?: readonly string[];
  responses: R;
  /** Problem statuses beyond 400 and 500, and those of keys and limits, that a client should expect. */
  problems?: readonly number[];
  /** Answered in front of Express too (http/hot-lane.ts): a GET with one parameter in its path at most. */
  hot?: boolean;
  /** Answered from the lake, which takes seconds: how long it takes tells nothing of other requests (admission/load-gate.ts). */
  asksLake?: boolean;
  /**
   * What no schema can tell: it takes two parts of the request, or what this service was set to. Its faults are answered
   * together with the schemas' own, so it is called for malformed requests too, with what is well formed of them.
   */
  check?: (
    input: { params: WellFormed<P>; query: WellFormed<Q>; body: WellFormed<B> },
    deps: Deps,
  ) => readonly Fault[];
  /** Hears of requests whose form was wrong, for counting. */
  onMalformed?: (faults: readonly Fault[], deps: Deps) => void;
  handler: (
    input: {
      params: Parsed<P>;
      query: Parsed<Q>;
      body: Parsed<B>;
      accept: string | undefined;
      search: string;
    },
    deps: Deps,
  ) => Reply<NoInfer<R>> | Promise<Reply<NoInfer<R>>>;
  /** Of a hot route: answers at once out of memory, in the handler's place, what this process would else refuse as too much. */
  whenBusy?: (input: { params: Parsed<P>; query: Parsed<Q> }, deps: Deps) => Reply<NoInfer<R>>;
};

export type RouteInput = {
  params: unknown;
  query: unknown;
  body: unknown;
  /** The request's `Accept` header. */
  accept: string | undefined;
  /** The URL's query as it was sent, without `?`: it has been read into `query`. */
  search: string;
};
export type AnyReply = {
  status: number;
  body: unknown;
  headers?: Readonly<Record<string, string>>;
  type?: string;
};

/** A route whose schemas have been forgotten by the type checker; the adapter parses with them before it calls. */
export type Route = {
  method: Method;
  path: string;
  scope: Access;
  summary: string;
  description: string | undefined;
  tags: readonly string[];
  params: z.ZodObject | undefined;
  query: z.ZodObject | undefined;
  forgivesQuery: boolean;
  body: z.ZodType | undefined;
  bodyTypes: readonly string[];
  answerType: string;
  moreAnswerTypes: readonly string[];
  responses: ResponseSchemas;
  problems: readonly number[];
  hot: boolean;
  asksLake: boolean;
  check: (input: RouteInput, deps: Deps) => readonly Fault[];
  onMalformed: ((faults: readonly Fault[], deps: Deps) => void) | undefined;
  handler: (input: RouteInput, deps: Deps) => AnyReply | Promise<AnyReply>;
  whenBusy: ((input: RouteInput, deps: Deps) => AnyReply) | undefined;
};

export function defineRoute<
  const R extends ResponseSchemas,
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(definition: RouteDefinition<P, Q, B, R>): Route {
  return {
    method: definition.method,
    path: definition.path,
    scope: definition.scope,
    summary: definition.summary,
    description: definition.description,
    tags: definition.tags,
    params: definition.params,
    query: definition.query,
    forgivesQuery: definition.forgivesQuery ?? false,
    body: definition.body,
    bodyTypes: definition.bodyTypes ?? [JSON_TYPE],
    answerType: definition.answerType ?? JSON_TYPE,
    moreAnswerTypes: definition.moreAnswerTypes ?? [],
    responses: definition.responses,
    problems: definition.problems ?? [],
    hot: definition.hot ?? false,
    asksLake: definition.asksLake ?? false,
    check: (definition.check ?? (() => [])) as unknown as Route['check'],
    onMalformed: definition.onMalformed,
    // The adapter calls it with what these very schemas have parsed.
    handler: definition.handler as unknown as Route['handler'],
    whenBusy: definition.whenBusy as unknown as Route['whenBusy'],
  };
}
