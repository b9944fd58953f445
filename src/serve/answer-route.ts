import { AppError } from '../domain/errors.ts';
import type { Deps } from './deps.ts';
import { parseRequest, type RawRequest } from './parse-request.ts';
import type { AnyReply, Route, RouteInput } from './route.ts';

/** Checks a request and has its handler answer. Throws AppError, or rejects with it; knows neither Express nor a socket. */
export function answerRoute(route: Route, raw: RawRequest, deps: Deps): AnyReply | Promise<AnyReply> {
  return route.handler(parse(route, raw, deps), deps);
}

function parse(route: Route, raw: RawRequest, deps: Deps): RouteInput {
  try {
    return parseRequest(route, raw, deps);
  } catch (err) {
    if (err instanceof AppError && err.code === 'INVALID_REQUEST') route.onMalformed?.(err.faults, deps);
    throw err;
  }
}
