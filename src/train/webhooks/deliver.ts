/** One attempt to deliver a notice. Only a 2xx is an acknowledgement; all else says what went wrong, without the address. */
import { UnrecoverableError } from 'bullmq';
import { dayMs } from '../../domain/time.ts';
import type { Notice } from '../../domain/webhook.ts';
import type { WebhookConfig } from '../../infra/config.ts';
import { signWebhook } from '../../webhooks/sign.ts';

/** To be tried again; not before `retryAfterMs`, where the receiver has said so. */
export class DeliveryError extends Error {
  override name = 'DeliveryError';
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

export type Endpoint = Pick<WebhookConfig, 'url' | 'secrets' | 'timeoutMs'>;

/** Of an answer's body, to have the connection free for the next; what is longer costs the connection. */
const answerBytesMax = 64 * 1024;

/**
 * Resolves when the receiver has acknowledged. Rejects with DeliveryError where another attempt may help, with
 * UnrecoverableError where the receiver wants none (410). `now` in milliseconds since 1970.
 */
export async function deliver(notice: Notice, endpoint: Endpoint, now: number): Promise<void> {
  const body = JSON.stringify(notice);
  const signal = AbortSignal.timeout(endpoint.timeoutMs);
  let response: Response;
  try {
    response = await fetch(endpoint.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'nextbest',
        ...signWebhook(notice.id, body, endpoint.secrets, now),
      },
      body,
      // Whoever is at another address was not meant to be told of customers.
      redirect: 'manual',
      signal,
    });
  } catch (err) {
    throw new DeliveryError(
      signal.aborted ? `no answer within ${endpoint.timeoutMs} ms` : `the connection failed (${codeOf(err)})`,
    );
  }
  await discard(response);
  const { status } = response;
  if (response.ok) return;
  if (status === 410)
    throw new UnrecoverableError(
      'the receiver answered 410: it wants no more. Correct WEBHOOK_URL, then replay',
    );
  if (status >= 300 && status < 400)
    throw new DeliveryError(
      `the receiver answered ${status}: redirects are not followed. Set WEBHOOK_URL to the final address`,
    );
  const bidsToWait = status === 429 || status === 503;
  const askedMs = bidsToWait ? retryAfterMs(response.headers.get('retry-after'), now) : undefined;
  throw new DeliveryError(`the receiver answered ${status}`, askedMs);
}

/** Seconds, or a date; at most a day. undefined: it says nothing that can be kept to. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(dayMs, Math.max(0, ms));
}

/** Reads and forgets the body. The status has been said: whatever befalls the rest changes nothing. */
async function discard({ body }: Response): Promise<void> {
  const reader = body?.getReader();
  if (reader === undefined) return;
  try {
    let bytes = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.byteLength;
      if (bytes > answerBytesMax) break;
    }
    await reader.cancel();
  } catch {
    // The connection broke, or the time was over.
  }
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET`, `CERT_HAS_EXPIRED` …: never the message, which may hold the address. */
function codeOf(err: unknown): string {
  const cause = err instanceof Error ? err.cause : undefined;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
}
