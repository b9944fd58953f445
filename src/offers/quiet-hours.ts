/** When the customer wants to be left in peace, by her own clock. */
import type { Channel } from '../domain/channel.ts';
import type { ContactPolicy } from '../domain/decision-policy.ts';
import { minuteOfDay } from './local-time.ts';

/** Is `now` (milliseconds since 1970) within the quiet hours of the channel? */
export type QuietHoursRule = (channel: Channel, timeZone: string | undefined, now: number) => boolean;

type Span = { from: number; to: number };

/**
 * `from` is quiet, `to` no longer is; what begins after it ends runs over midnight. The clock on the wall decides: an hour
 * that comes twice is as quiet the second time, one that is left out is not kept. A customer without a time zone, or with
 * one that this machine does not know, has the policy's.
 */
export function compileQuietHours({
  quietHours,
  timeZone: usual,
}: Pick<ContactPolicy, 'quietHours' | 'timeZone'>): QuietHoursRule {
  const spans = new Map<Channel, Span[]>();
  for (const { channels, from, to } of quietHours)
    for (const channel of channels) {
      const span = { from: minutesOf(from), to: minutesOf(to) };
      spans.set(channel, [...(spans.get(channel) ?? []), span]);
    }
  return (channel, timeZone, now) => {
    const own = spans.get(channel);
    if (own === undefined) return false;
    const minute = minuteOfDay(timeZone ?? usual, now) ?? minuteOfDay(usual, now) ?? 0;
    return own.some(({ from, to }) =>
      from < to ? minute >= from && minute < to : minute >= from || minute < to,
    );
  };
}

/** Of `21:30`. */
function minutesOf(clockTime: string): number {
  return 60 * Number(clockTime.slice(0, 2)) + Number(clockTime.slice(3, 5));
}
