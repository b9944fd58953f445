/** Whom the shop may address on a channel, as far as consent goes. */
import { CHANNELS, type Channel } from '../domain/channel.ts';
import type { CustomerAttributes } from '../domain/customer.ts';
import { CONTACT_CHANNELS } from '../domain/decision-policy.ts';

/**
 * Where the shop goes to the customer, she must have consented; where customers come by themselves nobody is asked, but
 * whoever has withdrawn (from messages of the app) is not addressed.
 */
export function mayAddress({ consent }: Pick<CustomerAttributes, 'consent'>, channel: Channel): boolean {
  const given = consent?.[channel];
  return CONTACT_CHANNELS.has(channel) ? given === true : given !== false;
}

/** All such channels as one number, a bit each. */
export function addressableChannels(attributes: Pick<CustomerAttributes, 'consent'>): number {
  let bits = 0;
  for (const channel of CHANNELS) if (mayAddress(attributes, channel)) bits |= channelBit(channel);
  return bits;
}

export function channelBit(channel: Channel): number {
  return 1 << CHANNELS.indexOf(channel);
}
