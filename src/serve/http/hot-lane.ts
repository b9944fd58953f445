/**
 * The hot lane: the few calls that every page view and every e-mail makes are answered before Express sees the request, whose
 * routing costs more CPU than the answer. They are the very routes that Express has mounted too: whatever is out of the
 * ordinary about a request (another method, an odd path) is left to Express, which answers it as it always would.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Admit } from '../admission/admit.ts';
import { answerRoute } from '../answer-route.ts';
import type { Deps } from '../deps.ts';
import type { AnyReply, Route } from '../route.ts';
import type { SetCorsHeaders } from './cors.ts';
import {
  answerFailure,
  type ExchangeInfo,
  flatSecurityHeaders,
  measureExchange,
  requestIdOf,
} from './exchange.ts';
import { sendReply } from './send.ts';

type Door = { admit: Admit; setCors: SetCorsHeaders };

/** `others` gets what is not hot. */
export function createHotLane(
  routes: readonly Route[],
  door: Door,
  deps: Deps,
  others: RequestListener,
): RequestListener {
  const lanes = routes.filter(({ hot }) => hot).map((route) => ({ route, paramsOf: matcherOf(route.path) }));
  return (req, res) => {
    if (req.method !== 'GET') return others(req, res);
    const url = req.url ?? '';
    const queryAt = url.indexOf('?');
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    for (const { route, paramsOf } of lanes) {
      const params = paramsOf(path);
      if (params === undefined) continue;
      answer(route, params, queryAt < 0 ? '' : url.slice(queryAt + 1), req, res, door, deps);
      return;
    }
    others(req, res);
  };
}

/** The routes that are answered out of memory where the process has too much to do for the others. */
export function createBusyLane(
  routes: readonly Route[],
  door: Door,
  deps: Deps,
  others: RequestListener,
): RequestListener {
  const answered = routes.flatMap((route) =>
    route.whenBusy === undefined ? [] : [{ ...route, handler: route.whenBusy }],
  );
  return createHotLane(answered, door, deps, others);
}

function answer(
  route: Route,
  params: Record<string, string>,
  search: string,
  req: IncomingMessage,
  res: ServerResponse,
  { admit, setCors }: Door,
  deps: Deps,
): void {
  const info: ExchangeInfo = { requestId: requestIdOf(req), route: route.path };
  measureExchange(req, res, info, deps.metrics, deps.log);
  const headers = new HeaderList(info.requestId);
  setCors(req, headers);
  const refuse = (err: unknown) => {
    headers.setOn(res);
    answerFailure(err, res, info, deps.log);
  };
  try {
    info.keyId = admit(route.scope, req, headers);
    const { accept, 'content-type': contentType } = req.headers;
    const reply = answerRoute(route, { params, search, contentType, accept, body: undefined }, deps);
    const send = (ready: AnyReply) => sendReply(res, ready, route.answerType, headers.list);
    if (reply instanceof Promise) reply.then(send).catch(refuse);
    else send(reply)?.catch(refuse);
  } catch (err) {
    refuse(err);
  }
}

/** Headers of an answer, gathered to be written at once: set one by one, they cost more than a look into Redis. */
class HeaderList {
  /** Name, value, name, value … */
  readonly list: string[];

  constructor(requestId: string) {
    this.list = ['x-request-id', requestId, ...flatSecurityHeaders];
  }

  setHeader(name: string, value: string): void {
    this.list.push(name.toLowerCase(), value);
  }

  getHeader(name: string): string | undefined {
    const at = this.list.findIndex((text, n) => n % 2 === 0 && text === name.toLowerCase());
    return at < 0 ? undefined : this.list[at + 1];
  }

  setOn(res: ServerResponse): void {
    if (res.headersSent) return;
    for (let at = 0; at < this.list.length; at += 2)
      res.setHeader(this.list[at] ?? '', this.list[at + 1] ?? '');
  }
}

type Matcher = (path: string) => Record<string, string> | undefined;

/** Of a path with at most one parameter. What cannot be decoded is no match: Express tells what is wrong with it. */
function matcherOf(pattern: string): Matcher {
  const [, before = '', name = '', after = ''] = /^([^{]*)(?:\{(\w+)\}([^{]*))?$/.exec(pattern) ?? [];
  if (before === '') throw new Error(`${pattern} has more parameters than the hot lane reads`);
  if (name === '') return (path) => (path === pattern ? {} : undefined);
  return (path) => {
    if (!path.startsWith(before) || !path.endsWith(after)) return undefined;
    const text = path.slice(before.length, path.length - after.length);
    if (text === '' || path.length < before.length + after.length || text.includes('/')) return undefined;
    if (!text.includes('%')) return { [name]: text };
    try {
      return { [name]: decodeURIComponent(text) };
    } catch {
      return undefined;
    }
  };
}
