import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { Notice } from '../../src/domain/webhook.ts';
import { signWebhook } from '../../src/webhooks/sign.ts';
import { ACTION_RULES, suggestAction } from '../../src/webhooks/suggest-action.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/webhooks.md'), 'utf8');
const block = (language: string) => page.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? '';

test('the receiver of the page verifies what is sent, and nothing else', async () => {
  const { verifies } = await import(`data:text/javascript,${encodeURIComponent(block('js'))}`);
  const [secret, older, other] = [1, 2, 3].map((b) => `whsec_${Buffer.alloc(24, b).toString('base64')}`);
  const now = Date.UTC(2026, 0, 5);
  const headers = signWebhook('a', '{"ä":1}', [secret!, older!], now);
  expect(verifies(secret, headers, '{"ä":1}', now)).toBe(true);
  expect(verifies(older, headers, Buffer.from('{"ä":1}'), now)).toBe(true);
  expect(verifies(other, headers, '{"ä":1}', now)).toBe(false);
  expect(verifies(secret, headers, '{"ä":2}', now)).toBe(false);
  expect(verifies(secret, { ...headers, 'webhook-id': 'b' }, '{"ä":1}', now)).toBe(false);
  expect(verifies(secret, headers, '{"ä":1}', now + 301_000)).toBe(false);
  expect(verifies(secret, {}, '{"ä":1}', now)).toBe(false);
});

test('the body of the page is one that is sent', () => {
  const notice = Notice.parse(JSON.parse(block('json')));
  const { action } = notice.data.suggestedAction;
  const rule = ACTION_RULES.find((one) => one.cause === 'lowRating' && one.action === action);
  expect(rule).toBeDefined();
  expect(notice.data.suggestedAction).toEqual(suggestAction('lowRating', {}));
});
