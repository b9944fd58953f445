import { AppError } from '../domain/errors.ts';
import type { Deps } from './deps.ts';
import { parseRequest, type RawRequest } from './parse-request.ts';
import type { AnyReply, Route } from './route.ts';

/** Checks a request and has its handler answer. Throws AppError; knows neither Express nor a socket. */
export async function answerRoute(route: Route, raw: RawRequest, deps: Deps): Promise<AnyReply> {
  try {
    return await route.handler(parseRequest(route, raw), deps);
  } catch (err) {
    if (err instanceof AppError && err.code === 'INVALID_REQUEST') route.onInvalid?.(err.faults, deps);
    throw err;
  }
}
