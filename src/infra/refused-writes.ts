/**
 * A Redis that answers and takes no writes is another fault than one that is away: waiting does not end it, somebody has to. By the
 * prefixes of its errors (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
 */
import { AppError } from '../domain/errors.ts';

const cures = {
  OOM: 'its memory is full. The worker makes room as it drains events; where that is not enough, raise maxmemory',
  MISCONF: 'it cannot write to its disk. Make room there, or mend what its log names',
  NOREPLICAS:
    'fewer replicas follow it than min-replicas-to-write asks for. Start them again, or ask for fewer',
  READONLY: 'it is a replica. Let REDIS_URL and QUEUE_REDIS_URL name the primary, sentinels or the cluster',
} as const;
export type RefusedWrite = keyof typeof cures;

const refusals = Object.keys(cures) as RefusedWrite[];

/** Why Redis refused to write; undefined: it was something else. Looks at what a transaction was refused for, and at causes. */
export function refusedWriteOf(thrown: unknown): RefusedWrite | undefined {
  // A set, for errors may name each other: of a transaction that times out, ioredis puts each among its own previous ones.
  const errors = new Set([thrown]);
  for (const error of errors) {
    if (!(error instanceof Error)) continue;
    const found = refusals.find((prefix) => error.message.startsWith(`${prefix} `));
    if (found !== undefined) return found;
    if (error.cause !== undefined) errors.add(error.cause);
    // Of a transaction that is refused, ioredis tells the reasons beside it.
    if ('previousErrors' in error && Array.isArray(error.previousErrors))
      for (const previous of error.previousErrors) errors.add(previous);
  }
  return undefined;
}

/**
 * What Redis's refusal or absence is to whoever asked: STORE_REFUSES_WRITES with the cure, or else STORE_UNAVAILABLE with what
 * `away` says.
 */
export function storeFault(
  cause: unknown,
  away: { public: string; internal?: string; retryAfterSeconds: number },
): AppError {
  const refused = refusedWriteOf(cause);
  const internal = away.internal ?? (cause instanceof Error ? cause.message : String(cause));
  if (refused === undefined) return new AppError('STORE_UNAVAILABLE', { ...away, internal, cause });
  return new AppError('STORE_REFUSES_WRITES', {
    public: `Redis can be reached and takes no writes (${refused}): ${cures[refused]}. Nothing was changed; send it again then.`,
    internal,
    retryAfterSeconds: Math.max(away.retryAfterSeconds, refusedRetrySeconds),
    cause,
  });
}

const refusedRetrySeconds = 5;

/** Of an AppError: Redis is away, or takes no writes. */
export function isStoreFault(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError && /^STORE_/.test(thrown.code);
}
