/** Answers onto the wire. Plain `node:http`, so that it serves with Express and without. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../domain/errors.ts';
import { PROBLEM_TYPE, problemOf } from '../problem.ts';
import { type AnyReply, JSON_TYPE, JsonText } from '../route.ts';

/** A reader of a streamed body that takes nothing for so long is cut off: it would hold the rest in memory for ever. */
const stalledAfterMs = 60_000;

/**
 * Of a streamed body, resolves when it has been handed over, or its reader went away or takes no more; rejects where the body
 * fails. Any other is handed over when this returns.
 */
export function sendReply(
  res: ServerResponse,
  reply: AnyReply,
  answerType: string,
  /** Further ones, written at once with the reply's own, which are added to them: name, value, name, value … */
  headers: string[] = [],
  { stalledMs = stalledAfterMs } = {},
): Promise<void> | undefined {
  for (const name in reply.headers) headers.push(name, reply.headers[name] ?? '');
  const { status, body } = reply;
  if (body === undefined) {
    res.writeHead(status, headers).end();
    return undefined;
  }
  if (isStream(body)) {
    const source = Readable.from(body);
    // Its connection ended before its turn came: it will not tell `pipeline` of it again.
    if (res.destroyed) {
      source.destroy();
      return undefined;
    }
    headers.push('content-type', reply.type ?? answerType);
    res.writeHead(status, headers);
    // With the end of the answer, Node sets the time of an idle connection in its place.
    res.setTimeout(stalledMs, () => res.destroy());
    return pipeline(source, res).catch((err: NodeJS.ErrnoException) => {
      if (err.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw err;
    });
  }
  const { text, bytes } = payloadOf(body, answerType);
  headers.push('content-type', reply.type ?? typeWithCharset(answerType), 'content-length', String(bytes));
  res.writeHead(status, headers);
  // Of ASCII alone, each character is a byte: to copy them costs a fraction of what it costs to encode them.
  if (typeof text === 'string' && text.length === bytes) res.end(text, 'latin1');
  else res.end(text);
  return undefined;
}

function payloadOf(body: unknown, answerType: string): JsonText<unknown> {
  if (body instanceof JsonText) return body;
  return new JsonText(answerType === JSON_TYPE ? JSON.stringify(body) : bytesOrText(body));
}

function typeWithCharset(type: string): string {
  if (type === JSON_TYPE) return 'application/json; charset=utf-8';
  return /^text\/|json$/.test(type) && !type.includes('charset') ? `${type}; charset=utf-8` : type;
}

/** Of a 503 that does not know better: a model that is damaged is put back by somebody. */
const usualRetrySeconds = 30;

export function sendProblem(res: ServerResponse, error: AppError, requestId: string): void {
  if (res.headersSent) {
    // Half an answer cannot be taken back; an aborted one is at least not mistaken for a whole.
    res.destroy();
    return;
  }
  const { retryAfterSeconds = error.status === 503 ? usualRetrySeconds : undefined } = error;
  if (retryAfterSeconds !== undefined) res.setHeader('retry-after', String(retryAfterSeconds));
  sendReply(res, { status: error.status, body: problemText(error, requestId) }, PROBLEM_TYPE);
}

export function problemText(error: AppError, requestId: string): string {
  return JSON.stringify(problemOf(error, requestId));
}

function isStream(body: unknown): body is AsyncIterable<string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function bytesOrText(body: unknown): string | Buffer {
  if (typeof body === 'string' || Buffer.isBuffer(body)) return body;
  throw new AppError('INTERNAL', {
    public: 'The fault is ours.',
    internal: 'an answer that is not JSON must be text or bytes',
  });
}
