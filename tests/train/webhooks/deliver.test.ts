import { UnrecoverableError } from 'bullmq';
import { expect, test } from 'vitest';
import type { CustomerId } from '../../../src/domain/ids.ts';
import type { Notice } from '../../../src/domain/webhook.ts';
import { DeliveryError, deliver, retryAfterMs } from '../../../src/train/webhooks/deliver.ts';
import { noticeOf, strangerToRecords } from '../../../src/webhooks/notice.ts';
import { eventually } from '../../support/eventually.ts';
import { answers, cuts, hangs, testSecret, webhookReceiver } from '../../support/webhook-receiver.ts';

const now = Date.UTC(2026, 0, 5);
const notice: Notice = noticeOf(
  'änna' as CustomerId,
  { kind: 'lowRating', eventId: 'e1', at: now, channel: 'web', rating: 1 },
  strangerToRecords,
);
const to = (url: string, timeoutMs = 10_000) => ({ url, secrets: [testSecret], timeoutMs });

/** How an attempt ended: undefined where it was acknowledged. */
const attempt = (url: string, timeoutMs?: number): Promise<DeliveryError | undefined> =>
  deliver(notice, to(url, timeoutMs), now).then(
    () => undefined,
    (err) => err,
  );

test('what is delivered is the notice, signed: the receiver verifies it by means of its own', async () => {
  const receiver = await webhookReceiver();
  expect(await attempt(receiver.url)).toBeUndefined();
  expect(receiver.received).toEqual([
    { id: notice.id, timestamp: now / 1000, notice, verified: true, contentType: 'application/json' },
  ]);
});

test('while secrets are changed, a receiver that has either of them verifies', async () => {
  const older = `whsec_${Buffer.alloc(24, 'older').toString('base64')}`;
  for (const known of [testSecret, older]) {
    const receiver = await webhookReceiver(known);
    await deliver(notice, { url: receiver.url, secrets: [testSecret, older], timeoutMs: 10_000 }, now);
    expect(receiver.received[0]?.verified).toBe(true);
  }
  const stranger = await webhookReceiver(`whsec_${Buffer.alloc(24, 'stranger').toString('base64')}`);
  expect(await attempt(stranger.url)).toBeUndefined();
  expect(stranger.received[0]?.verified).toBe(false);
});

test.each([200, 201, 202, 204, 299])('%i is an acknowledgement', async (status) => {
  const receiver = await webhookReceiver();
  receiver.behave(answers(status));
  expect(await attempt(receiver.url)).toBeUndefined();
});

test.each([400, 401, 404, 500, 503])(
  '%i is to be tried again; neither answer nor address is told',
  async (status) => {
    const receiver = await webhookReceiver();
    receiver.behave(answers(status));
    const failure = await attempt(receiver.url);
    expect(failure).toBeInstanceOf(DeliveryError);
    expect(failure?.message).toBe(`the receiver answered ${status}`);
  },
);

test('410 ends it', async () => {
  const receiver = await webhookReceiver();
  receiver.behave(answers(410));
  expect(await attempt(receiver.url)).toBeInstanceOf(UnrecoverableError);
});

test('a redirect is not followed', async () => {
  const [receiver, other] = [await webhookReceiver(), await webhookReceiver()];
  receiver.behave(answers(307, { location: other.url }));
  expect((await attempt(receiver.url))?.message).toContain('redirects are not followed');
  expect(other.received).toEqual([]);
});

test('a receiver that hangs, cuts or is not there is to be tried again', async () => {
  const receiver = await webhookReceiver();
  receiver.behave(hangs);
  expect((await attempt(receiver.url, 50))?.message).toBe('no answer within 50 ms');
  receiver.behave(cuts);
  expect((await attempt(receiver.url))?.message).toContain('the connection failed');
  await receiver.stop();
  expect((await attempt(receiver.url))?.message).toContain('the connection failed');
  await receiver.restart();
  receiver.behave(answers(200));
  expect(await attempt(receiver.url)).toBeUndefined();
});

test('an acknowledgement whose body never ends is one; no more than a bound is read of it', async () => {
  const receiver = await webhookReceiver();
  let sent = 0;
  let closed = false;
  receiver.behave((_received, response) => {
    response.writeHead(200).on('close', () => {
      closed = true;
    });
    const write = () => {
      while (!response.destroyed && response.write(Buffer.alloc(16_384))) sent += 16_384;
    };
    response.on('drain', write);
    write();
  });
  expect(await attempt(receiver.url)).toBeUndefined();
  // The connection was given up, or it would be written for ever. What stood in the sockets' buffers is a few megabytes.
  await eventually(() => expect(closed).toBe(true));
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});

test('an acknowledgement whose body stalls is one', async () => {
  const receiver = await webhookReceiver();
  receiver.behave((_received, response) => void response.writeHead(200).write('{'));
  expect(await attempt(receiver.url, 200)).toBeUndefined();
});

test.each([429, 503])('%i may say when to come back', async (status) => {
  const receiver = await webhookReceiver();
  receiver.behave(answers(status, { 'retry-after': '120' }));
  expect((await attempt(receiver.url))?.retryAfterMs).toBe(120_000);
});

test('Retry-After is seconds or a date, at most a day', () => {
  expect(retryAfterMs('7', now)).toBe(7000);
  expect(retryAfterMs('Mon, 05 Jan 2026 00:01:00 GMT', now)).toBe(60_000);
  expect(retryAfterMs('Sun, 04 Jan 2026 00:00:00 GMT', now)).toBe(0);
  expect(retryAfterMs('99999999999', now)).toBe(86_400_000);
  for (const text of [null, '', 'soon', '-5x']) expect(retryAfterMs(text, now)).toBeUndefined();
});
