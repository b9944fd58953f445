/** What every request that Express sees passes through. */
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { AppError } from '../../domain/errors.ts';
import type { Logger } from '../../infra/logger.ts';
import type { ServeMetrics } from '../metrics.ts';
import type { SetCorsHeaders } from './cors.ts';
import {
  answerFailure,
  type ExchangeInfo,
  giveRequestId,
  measureExchange,
  setSecurityHeaders,
} from './exchange.ts';

/** Longest body, after decompression. */
export const bodyLimitBytes = 1024 * 1024;

export function localsOf(res: Response): ExchangeInfo {
  return res.locals as ExchangeInfo;
}

export const requestId: RequestHandler = (req, res, next) => {
  localsOf(res).requestId = giveRequestId(req, res);
  next();
};

/** `/docs` sets a policy of its own. */
export const securityHeaders: RequestHandler = (_req, res, next) => {
  setSecurityHeaders(res);
  next();
};

export function corsHeaders(setCors: SetCorsHeaders): RequestHandler {
  return (req, res, next) => {
    setCors(req, res);
    next();
  };
}

export function measureRequests(metrics: ServeMetrics, log: Logger): RequestHandler {
  return (req, res, next) => {
    measureExchange(req, res, localsOf(res), metrics, log);
    next();
  };
}

/** Does not repeat the address, which may name a customer. */
export const notFound: RequestHandler = () => {
  throw new AppError('NOT_FOUND', {
    public: 'There is nothing at this address; /docs lists what there is.',
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
    answerFailure(thrown, res, localsOf(res), log);
  };
}
