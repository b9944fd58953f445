/**
 * Every way in which a request or command can be refused: a stable code, its HTTP status and a title. The
 * code is what clients match on; `public` is a sentence for them, `internal` one for the logs.
 */
export const ERROR_KINDS = {
  INVALID_REQUEST: { status: 400, title: 'The request is not valid' },
  UNAUTHENTICATED: { status: 401, title: 'An API key is needed' },
  FORBIDDEN: { status: 403, title: 'This caller may not do that' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body is not of a type that is read here' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  NOT_FOUND: { status: 404, title: 'There is no such resource' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The resource does not take this method' },
  GONE: { status: 410, title: 'What was asked for is no longer kept' },
  CONFLICT: { status: 409, title: 'The state of the resource does not allow this' },
  EXPECTATION_FAILED: { status: 417, title: 'What the request expects is not done here' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too much at once' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The address or the headers are too long' },
  OVERLOADED: { status: 503, title: 'More is asked than can be answered in time' },
  STORE_UNAVAILABLE: { status: 503, title: 'Redis cannot be reached' },
  STORE_REFUSES_WRITES: { status: 503, title: 'Redis takes no writes' },
  DISK_FULL: { status: 503, title: 'The disk of the service is full' },
  LAKE_UNREADABLE: { status: 503, title: 'A file of the history cannot be read' },
  MODEL_UNAVAILABLE: { status: 503, title: 'The model cannot be used' },
  INTERNAL: { status: 500, title: 'Something went wrong' },
} as const;
export type ErrorCode = keyof typeof ERROR_KINDS;

/** One fault within a request: where it is and what would be right. */
export type Fault = { path: string; message: string };

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly public: string;
  readonly faults: readonly Fault[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    details: {
      public: string;
      internal?: string;
      faults?: readonly Fault[];
      retryAfterSeconds?: number;
      cause?: unknown;
    },
  ) {
    super(details.internal ?? details.public, { cause: details.cause });
    this.name = 'AppError';
    this.code = code;
    this.public = details.public;
    this.faults = details.faults ?? [];
    this.retryAfterSeconds = details.retryAfterSeconds;
  }

  get status(): number {
    return ERROR_KINDS[this.code].status;
  }
}

/** A setting or file of the operator's is wrong: the command ends with exit code 2 and this message, no stack. */
export class UsageError extends Error {
  override name = 'UsageError';
}
