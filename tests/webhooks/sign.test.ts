import { expect, test } from 'vitest';
import { signWebhook } from '../../src/webhooks/sign.ts';

test('signs as the example of Standard Webhooks is signed', () => {
  const headers = signWebhook(
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    '{"test": 2432232314}',
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    1_614_265_330_000,
  );
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('signs with each secret, in their order', () => {
  const secrets = [1, 2].map((byte) => `whsec_${Buffer.alloc(24, byte).toString('base64')}`);
  const both = signWebhook('a', '{}', secrets, 0)['webhook-signature'].split(' ');
  const alone = secrets.map((secret) => signWebhook('a', '{}', [secret], 0)['webhook-signature']);
  expect(both).toEqual(alone);
  expect(new Set(both).size).toBe(2);
});
