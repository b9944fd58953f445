/** Which other sites' pages may read the answers in a browser. */
import type { IncomingMessage } from 'node:http';
import cors from 'cors';

/** Sets the headers by which a browser knows. A preflight is answered like any OPTIONS, with them. */
export type SetCorsHeaders = (req: IncomingMessage, answer: AnswerHeaders) => void;

/** What of an answer is to be reached before it is written. */
type AnswerHeaders = {
  getHeader: (name: string) => unknown;
  setHeader: (name: string, value: string) => unknown;
};

const preflightSeconds = 600;

/** `origins`: such as `https://admin.shop.example`; `*`: any. Without cookies: a key is sent by the page itself. */
export function createCors(origins: readonly string[]): SetCorsHeaders {
  if (origins.length === 0) return () => {};
  const middleware = cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
    allowedHeaders: ['authorization', 'x-api-key', 'content-type', 'x-request-id'],
    exposedHeaders: [
      'x-request-id',
      'retry-after',
      'ratelimit',
      'ratelimit-policy',
      'link',
      'x-next-cursor',
      'x-scored-at',
      'x-warning',
    ],
    maxAge: preflightSeconds,
    preflightContinue: true,
  });
  type Given = Parameters<typeof middleware>;
  return (req, answer) => middleware(req as Given[0], answer as unknown as Given[1], noMore);
}

function noMore(): void {}
