import { expect, test } from 'vitest';
import { CHANNELS } from '../../src/domain/channel.ts';
import { addressableChannels, channelBit, mayAddress } from '../../src/offers/may-address.ts';

test('e-mail and phone need consent; elsewhere nobody is asked, but a withdrawal counts', () => {
  const asked = (consent: Record<string, boolean>) =>
    CHANNELS.filter((channel) => mayAddress({ consent }, channel)).sort();
  expect(asked({})).toEqual(['app', 'store', 'web']);
  expect(asked({ email: true, phone: false, app: false })).toEqual(['email', 'store', 'web']);
  expect(mayAddress({}, 'email')).toBe(false);
});

test('the channels as one number say the same', () => {
  const attributes = { consent: { email: true, app: false } };
  const bits = addressableChannels(attributes);
  for (const channel of CHANNELS)
    expect((bits & channelBit(channel)) !== 0).toBe(mayAddress(attributes, channel));
});
