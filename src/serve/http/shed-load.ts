/**
 * In front of both lanes: what is too much for this process is refused before anything of it is looked at, unless it can be
 * answered out of memory.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { AppError } from '../../domain/errors.ts';
import type { Logger } from '../../infra/logger.ts';
import type { LoadGate } from '../admission/load-gate.ts';
import type { ServeMetrics } from '../metrics.ts';
import type { SetCorsHeaders } from './cors.ts';
import { giveRequestId, measureShed, setSecurityHeaders } from './exchange.ts';
import { sendProblem } from './send.ts';

/** Whoever watches over the process must not take one that is busy for one that is dead. */
const alwaysAnswered: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);
const retryAfterSeconds = 1;
/** One line in the log for refusals that follow each other more closely. */
const quietMs = 10_000;

export type ShedLoadDeps = {
  gate: LoadGate;
  setCors: SetCorsHeaders;
  metrics: Pick<ServeMetrics, 'shedRequests' | 'requestDuration' | 'requestsReading' | 'requestsAtLake'>;
  log: Pick<Logger, 'warn'>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Answers what it can without waiting for anything, and hands the rest to `refuse`. */
  answerBusy: (refuse: RequestListener) => RequestListener;
};

export function shedLoad(
  { gate, setCors, metrics, log, now, answerBusy }: ShedLoadDeps,
  listener: RequestListener,
): RequestListener {
  let lastRefusedAt = Number.NEGATIVE_INFINITY;
  const refused = new WeakSet<ServerResponse>();
  const refuse: RequestListener = (req, res) => {
    refused.add(res);
    const startedAt = performance.now();
    const requestId = giveRequestId(req, res);
    setSecurityHeaders(res);
    setCors(req, res);
    const error = new AppError('OVERLOADED', {
      public: 'This is more than can be answered in time. Nothing was done; try again shortly.',
      retryAfterSeconds,
    });
    sendProblem(res, error, requestId);
    measureShed(req, res, metrics, startedAt);
  };
  const answerOrRefuse = answerBusy(refuse);
  return (req, res) => {
    if (alwaysAnswered.has(req.url ?? '')) return listener(req, res);
    const bound = gate.refusal(bringsBody(req));
    if (bound === undefined) return listener(req, res);
    if (now() - lastRefusedAt > quietMs)
      log.warn(
        {
          event: 'overload',
          bound,
          reading: metrics.requestsReading.value,
          atLake: metrics.requestsAtLake.value,
        },
        'more is asked than this process can answer in time',
      );
    lastRefusedAt = now();
    answerOrRefuse(req, res);
    metrics.shedRequests.inc({ bound, answer: refused.has(res) ? 'refused' : 'standIn' });
  };
}

function bringsBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
