/** How often a customer may be contacted on a channel. */
import { CHANNELS, type Channel } from '../domain/channel.ts';
import { CONTACT_CHANNELS, type ContactPolicy } from '../domain/decision-policy.ts';
import { hourMs } from '../domain/time.ts';
import { type ContactCap, type ContactHistory, countOccasions, lastContactAt } from './contact-history.ts';

export type ContactLimits = {
  /** Of those that bear on the channel; the channels that count are named. */
  caps: readonly ContactCap[];
  /** Contacts on `channels` are at least so far apart; undefined = no such rule on this channel. */
  gap: { channels: readonly Channel[]; ms: number } | undefined;
};

const going = CHANNELS.filter((channel) => CONTACT_CHANNELS.has(channel));

/**
 * A cap without channels is of those on which the shop goes to the customer, and so is the gap. Where the customer comes by
 * herself (web, store, app), a cap holds only if it names the channel.
 */
export function compileContactLimits({
  caps,
  minGapHours,
}: Pick<ContactPolicy, 'caps' | 'minGapHours'>): (channel: Channel) => ContactLimits {
  const named = caps.map(({ channels = going, times, days }) => ({ channels, times, days }));
  const gap = minGapHours > 0 ? { channels: going, ms: minGapHours * hourMs } : undefined;
  const limits = new Map(
    CHANNELS.map((channel): [Channel, ContactLimits] => [
      channel,
      {
        caps: named.filter(({ channels }) => channels.includes(channel)),
        gap: CONTACT_CHANNELS.has(channel) ? gap : undefined,
      },
    ]),
  );
  const none: ContactLimits = { caps: [], gap: undefined };
  return (channel) => limits.get(channel) ?? none;
}

/** Which limit another contact would break, or undefined. What belongs to the same occasion is the same contact. */
export function brokenLimit(
  { caps, gap }: ContactLimits,
  history: ContactHistory,
  now: number,
  occasionId: string | undefined,
): 'minimum-gap' | 'contact-cap' | undefined {
  if (gap !== undefined) {
    const last = lastContactAt(history, gap, now, occasionId);
    if (last !== undefined && now - last < gap.ms) return 'minimum-gap';
  }
  const isFull = caps.some((cap) => countOccasions(history, cap, now, occasionId) >= cap.times);
  return isFull ? 'contact-cap' : undefined;
}
