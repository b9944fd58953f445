/** Errors as `application/problem+json` (RFC 9457). Clients match on `code`; nothing of the inside shows. */
import { z } from 'zod';
import { AppError, ERROR_KINDS, type ErrorCode } from '../domain/errors.ts';
import { isUnreadablePart } from '../history/damaged-parts.ts';
import { isRedisTrouble } from '../infra/redis.ts';
import { storeFault } from '../infra/refused-writes.ts';

export const PROBLEM_TYPE = 'application/problem+json';

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(ERROR_KINDS) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    faults: z.array(z.object({ path: z.string(), message: z.string() })),
    requestId: z.string(),
  })
  .meta({ id: 'Problem', description: 'Why a request was refused (RFC 9457)' });
export type Problem = z.output<typeof Problem>;

export function problemOf(error: AppError, requestId: string): Problem {
  const kind = ERROR_KINDS[error.code];
  return {
    type: `urn:nextbest:problem:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title: kind.title,
    status: kind.status,
    code: error.code,
    detail: error.public,
    faults: [...error.faults],
    requestId,
  };
}

/** Whatever was thrown, as an AppError; what nobody foresaw becomes INTERNAL with the original as its cause. */
export function asAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (isRedisTrouble(thrown))
    return storeFault(thrown, {
      public: 'Redis cannot be reached right now. Nothing was changed; try again shortly.',
      retryAfterSeconds: 1,
    });
  if (isDiskFull(thrown)) return diskFull(thrown);
  if (isUnreadablePart(thrown)) return lakeUnreadable(thrown);
  return fromHttpError(thrown) ?? new AppError('INTERNAL', { public: 'The fault is ours.', cause: thrown });
}

/** Of the disk, or of what its user may have of it. */
function isDiskFull(thrown: unknown): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && 'code' in thrown && ['ENOSPC', 'EDQUOT'].includes(String(thrown.code));
}

/** A request that is not on the disk has not been taken: an erasure, a campaign's list, a model's promotion. */
function diskFull(cause: Error): AppError {
  return new AppError('DISK_FULL', {
    public:
      'What was asked could not be written down, and is not done: send it again when there is room in DATA_DIR and MODELS_DIR.',
    internal: cause.message,
    retryAfterSeconds: 60,
    cause,
  });
}

/** Nothing of ours makes such files, and nobody but the operator can put them back. */
function lakeUnreadable(cause: unknown): AppError {
  return new AppError('LAKE_UNREADABLE', {
    public:
      'A file under DATA_DIR cannot be read; the log names it. Have it put back as docs/runbook.md says, "When a part of the lake is ' +
      'damaged". Recommendations, decisions and events go on meanwhile.',
    internal: cause instanceof Error ? cause.message : String(cause),
    retryAfterSeconds: 60,
    cause,
  });
}

/** Errors of Express and its body reader carry a status; those below 500 are the sender's. */
function fromHttpError(thrown: unknown): AppError | undefined {
  if (!(thrown instanceof Error) || !('status' in thrown) || typeof thrown.status !== 'number')
    return undefined;
  const details = { internal: thrown.message, cause: thrown };
  if (thrown.status === 413) {
    return new AppError('BODY_TOO_LARGE', {
      public: 'Send less at once: the body may have 1 MB.',
      ...details,
    });
  }
  if (thrown.status === 415) {
    return new AppError('UNSUPPORTED_MEDIA_TYPE', {
      public: 'The encoding of the body is not read here.',
      ...details,
    });
  }
  if (thrown.status >= 400 && thrown.status < 500) {
    const inPath = thrown instanceof URIError;
    return new AppError('INVALID_REQUEST', {
      public: inPath ? 'The path is not valid.' : 'The body could not be read.',
      faults: [
        {
          path: inPath ? 'params' : 'body',
          message: inPath ? 'is not valid percent-encoding' : 'could not be read',
        },
      ],
      ...details,
    });
  }
  return undefined;
}
