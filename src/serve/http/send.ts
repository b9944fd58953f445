/** Answers onto the wire. Plain `node:http`, so that it serves with Express and without. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../domain/errors.ts';
import { PROBLEM_TYPE, problemOf } from '../problem.ts';
import { type AnyReply, JSON_TYPE } from '../route.ts';

/** A reader of a streamed body that takes nothing for so long is cut off: it would hold the rest in memory for ever. */
const stalledAfterMs = 60_000;

/**
 * Resolves when a streamed body has been handed over, or its reader went away or takes no more; rejects where the body fails.
 */
export async function sendReply(
  res: ServerResponse,
  reply: AnyReply,
  answerType: string,
  { stalledMs = stalledAfterMs } = {},
): Promise<void> {
  for (const [name, value] of Object.entries(reply.headers ?? {})) res.setHeader(name, value);
  if (reply.body === undefined) {
    res.writeHead(reply.status).end();
    return;
  }
  if (isStream(reply.body)) {
    res.writeHead(reply.status, { 'content-type': reply.type ?? answerType });
    // With the end of the answer, Node sets the time of an idle connection in its place.
    res.setTimeout(stalledMs, () => res.destroy());
    await pipeline(Readable.from(reply.body), res).catch((err: NodeJS.ErrnoException) => {
      if (err.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw err;
    });
    return;
  }
  const payload = answerType === JSON_TYPE ? JSON.stringify(reply.body) : bytesOrText(reply.body);
  const charset =
    /^text\/|json$/.test(answerType) && !answerType.includes('charset') ? '; charset=utf-8' : '';
  res.writeHead(reply.status, {
    'content-type': reply.type ?? `${answerType}${charset}`,
    'content-length': Buffer.byteLength(payload),
  });
  res.end(payload);
}

export function sendProblem(res: ServerResponse, error: AppError, requestId: string): void {
  if (res.headersSent) {
    // Half an answer cannot be taken back; an aborted one is at least not mistaken for a whole.
    res.destroy();
    return;
  }
  if (error.retryAfterSeconds !== undefined) res.setHeader('retry-after', String(error.retryAfterSeconds));
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
