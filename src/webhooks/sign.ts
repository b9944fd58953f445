/**
 * Signatures in the manner of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, so that neither can be exchanged.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac } from 'node:crypto';

export type SignatureHeaders = {
  'webhook-id': string;
  /** Seconds since 1970 of this attempt: a receiver refuses what is older than a few minutes. */
  'webhook-timestamp': string;
  /** `v1,<base64>` for each secret, with a space between: while secrets are changed, one of them fits. */
  'webhook-signature': string;
};

/** `secrets` as configured (`whsec_…`); `now` in milliseconds since 1970. */
export function signWebhook(
  id: string,
  body: string,
  secrets: readonly string[],
  now: number,
): SignatureHeaders {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
