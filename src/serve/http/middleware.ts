/** What every request passes through. */
import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { AppError } from '../../domain/errors.ts';
import type { Logger } from '../../infra/logger.ts';
import type { ServeMetrics } from '../metrics.ts';
import { asAppError } from '../problem.ts';
import { sendProblem } from './send.ts';

/** Longest body, after decompression. */
export const bodyLimitBytes = 1024 * 1024;

/** What the middleware keeps for those that come after it. */
export type Locals = { requestId: string; route?: string };

export function localsOf(res: Response): Locals {
  return res.locals as Locals;
}

/** Takes over the caller's `X-Request-Id` where it is one, so that a trace goes through; answers it in any case. */
export const requestId: RequestHandler = (req, res, next) => {
  const given = req.headers['x-request-id'];
  const id = typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
  localsOf(res).requestId = id;
  res.setHeader('x-request-id', id);
  next();
};

/** Answers are data: no browser is to run, frame or guess anything of them. `/docs` sets its own policy. */
export const securityHeaders: RequestHandler = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
  },
  // For whoever ends TLS in front of this service to say.
  strictTransportSecurity: false,
});

/** Route patterns, never paths: a label must not grow with the catalogue. */
export function measureRequests(metrics: ServeMetrics, log: Logger): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    metrics.requestsInFlight.inc();
    res.once('close', () => {
      const seconds = (performance.now() - startedAt) / 1000;
      const { route = 'unmatched', requestId } = localsOf(res);
      // 499: the client went away before its answer was complete (nginx's number for it).
      const status = res.writableFinished ? res.statusCode : 499;
      metrics.requestsInFlight.dec();
      metrics.requestDuration.observe({ route, method: methodLabel(req.method), status }, seconds);
      log.debug({ event: 'request', route, method: req.method, status, seconds, requestId }, 'request');
    });
    next();
  };
}

function methodLabel(method: string): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'].includes(method) ? method : 'other';
}

export const notFound: RequestHandler = (req) => {
  throw new AppError('NOT_FOUND', {
    public: `There is nothing at ${req.path.slice(0, 200)}; /docs lists what there is.`,
  });
};

/** Refuses the methods that a path does not have. `allowed` is complete, with HEAD and OPTIONS. */
export function methodNotAllowed(allowed: readonly string[]): RequestHandler {
  return (req, res) => {
    res.setHeader('allow', allowed.join(', '));
    if (req.method === 'OPTIONS') {
      res.status(204).end();
      return;
    }
    throw new AppError('METHOD_NOT_ALLOWED', { public: `This takes ${allowed.join(', ')}.` });
  };
}

/** Express knows an error handler by its four parameters. */
export function answerErrors(log: Logger) {
  return (thrown: unknown, _req: Request, res: Response, _next: NextFunction): void => {
    const error = asAppError(thrown);
    const { requestId, route } = localsOf(res);
    const entry = { event: 'request.failed', code: error.code, route, requestId };
    if (error.code === 'INTERNAL') log.error({ ...entry, err: error.cause ?? error }, 'a request failed');
    else if (error.status >= 500) log.warn({ ...entry, reason: error.message }, 'a request was not served');
    else log.debug(entry, 'a request was refused');
    sendProblem(res, error, requestId);
  };
}
