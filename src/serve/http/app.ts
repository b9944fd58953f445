/** The routes as an Express application. */
import type { RequestListener } from 'node:http';
import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import { AppError } from '../../domain/errors.ts';
import type { Admit } from '../admission/admit.ts';
import { answerRoute } from '../answer-route.ts';
import type { Deps } from '../deps.ts';
import type { RawRequest } from '../parse-request.ts';
import type { Route } from '../route.ts';
import type { SetCorsHeaders } from './cors.ts';
import { docsRouter } from './docs.ts';
import {
  answerFailure,
  type ExchangeInfo,
  giveRequestId,
  measureExchange,
  setSecurityHeaders,
} from './exchange.ts';
import {
  answerErrors,
  bodyLimitBytes,
  corsHeaders,
  localsOf,
  measureRequests,
  methodNotAllowed,
  notFound,
  requestId,
  securityHeaders,
} from './middleware.ts';
import { sendReply } from './send.ts';

export function createApp(
  routes: readonly Route[],
  { admit, setCors }: { admit: Admit; setCors: SetCorsHeaders },
  deps: Deps,
): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  // The query is parsed by `parseRequest`.
  app.set('query parser', false);
  app.use(requestId, measureRequests(deps.metrics, deps.log), securityHeaders, corsHeaders(setCors));
  for (const [path, ofPath] of byPath(routes)) {
    const mounted = app.route(path.replace(/\{(\w+)\}/g, ':$1'));
    for (const route of ofPath) mounted[expressMethod(route)](...handlersOf(route, admit, deps));
    mounted.all(named(path), methodNotAllowed(allowedMethods(ofPath)));
  }
  // Who opens the bare address in a browser, as the start prints it, sees what there is.
  app.get('/', named('/'), (_req, res) => res.redirect('docs'));
  app.use('/docs', named('/docs'), docsRouter());
  app.use(notFound);
  app.use(answerErrors(deps.log));
  return withoutLeftOver(app, setCors, deps);
}

/**
 * Express hands on a target that it finds no path in (`http://[x/items`), and what was thrown while a fault was being answered; its own
 * word for either would be a page of HTML.
 */
function withoutLeftOver(app: Express, setCors: SetCorsHeaders, { metrics, log }: Deps): RequestListener {
  return (req, res) =>
    app(req as Request, res as Response, (thrown?: unknown) => {
      const info: ExchangeInfo = { requestId: giveRequestId(req, res) };
      measureExchange(req, res, info, metrics, log);
      setSecurityHeaders(res);
      setCors(req, res);
      const error =
        thrown === undefined
          ? new AppError('INVALID_REQUEST', {
              public: 'The address cannot be read: begin it with the path, such as /items/tea-1.',
            })
          : new AppError('INTERNAL', { public: 'The fault is ours.', cause: thrown });
      answerFailure(error, res, info, log);
    });
}

const readBody = express.raw({ type: () => true, limit: bodyLimitBytes });

function handlersOf(route: Route, admit: Admit, deps: Deps): RequestHandler[] {
  const admitted: RequestHandler = (req, res, next) => {
    localsOf(res).keyId = admit(route.scope, req, res);
    next();
  };
  const answer: RequestHandler = async (req, res) => {
    const queryAt = req.url.indexOf('?');
    const raw: RawRequest = {
      params: req.params,
      search: queryAt < 0 ? '' : req.url.slice(queryAt + 1),
      contentType: req.headers['content-type'],
      accept: req.headers.accept,
      body: Buffer.isBuffer(req.body) ? req.body : undefined,
    };
    await sendReply(res, await answerRoute(route, raw, deps), route.answerType);
  };
  const { requestsReading, requestsAtLake } = deps.metrics;
  return [
    named(route.path),
    admitted,
    ...(route.body === undefined ? [] : [readCounted(requestsReading)]),
    ...(route.asksLake ? [countedUntilEnd(requestsAtLake)] : []),
    answer,
  ];
}

/** Counts requests while their bodies arrive. */
function readCounted(level: { value: number }): RequestHandler {
  return (req, res, next) => {
    const leave = enter(level, res);
    readBody(req, res, (err?: unknown) => {
      leave();
      next(err);
    });
  };
}

function countedUntilEnd(level: { value: number }): RequestHandler {
  return (_req, res, next) => {
    enter(level, res);
    next();
  };
}

/** Counts one more until the exchange ends, or what is returned is called. */
function enter(level: { value: number }, res: Response): () => void {
  // Ended while its body arrived: it will not be told of again.
  if (res.destroyed) return () => {};
  level.value++;
  let counted = true;
  const leave = () => {
    if (counted) level.value--;
    counted = false;
  };
  res.once('close', leave);
  return leave;
}

/** Remembers the pattern for the metrics. */
function named(path: string): RequestHandler {
  return (_req, res, next) => {
    localsOf(res).route = path;
    next();
  };
}

function expressMethod(route: Route): 'get' | 'put' | 'post' | 'delete' {
  return route.method.toLowerCase() as 'get' | 'put' | 'post' | 'delete';
}

/** Fixed words before parameters, so that `/offers/decide` is not taken for an offer's id. */
function byPath(routes: readonly Route[]): [string, Route[]][] {
  const paths = new Map<string, Route[]>();
  for (const route of routes) paths.set(route.path, [...(paths.get(route.path) ?? []), route]);
  const rank = (path: string) => path.replace(/\{\w+\}/g, '\uffff');
  return [...paths].sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1));
}

function allowedMethods(routes: readonly Route[]): string[] {
  const methods: string[] = routes.map((route) => route.method);
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
}
