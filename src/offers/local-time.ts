/** What a clock on the wall shows in a time zone, summer time and all; fast enough to ask for every customer of a campaign. */

/** Transitions of every zone of today fall on a quarter of an hour, so an offset holds throughout one. */
const slotMs = 15 * 60_000;
const minuteMs = 60_000;
const minutesOfDay = 24 * 60;

/** Each keeps a formatter, which takes half a millisecond to make, and the offset that was asked for last. */
type Zone = { format: Intl.DateTimeFormat; slot: number; offsetMs: number };
const zones = new Map<string, Zone | undefined>();
/** More than there are zones; names may differ in case. */
const zonesMax = 1000;

/** Minutes since midnight, 0 to 1439, at `now` (milliseconds since 1970); undefined = this machine does not know the zone. */
export function minuteOfDay(timeZone: string, now: number): number | undefined {
  const offsetMs = timeZone === 'UTC' ? 0 : offsetOf(timeZone, now);
  if (offsetMs === undefined) return undefined;
  const minutes = Math.floor((now + offsetMs) / minuteMs) % minutesOfDay;
  return minutes < 0 ? minutes + minutesOfDay : minutes;
}

function offsetOf(timeZone: string, now: number): number | undefined {
  if (!zones.has(timeZone)) remember(timeZone);
  const zone = zones.get(timeZone);
  if (zone === undefined) return undefined;
  const slot = Math.floor(now / slotMs);
  if (zone.slot !== slot) {
    zone.slot = slot;
    zone.offsetMs = readOffset(zone.format, slot * slotMs);
  }
  return zone.offsetMs;
}

function remember(timeZone: string): void {
  const [oldest] = zones.keys();
  if (zones.size >= zonesMax && oldest !== undefined) zones.delete(oldest);
  zones.set(timeZone, createZone(timeZone));
}

/** A record may name a zone that only another machine knows. */
function createZone(timeZone: string): Zone | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    return { format, slot: Number.NaN, offsetMs: 0 };
  } catch (err) {
    if (err instanceof RangeError) return undefined;
    throw err;
  }
}

/** Local time, taken for UTC, less UTC. `at` is a whole second. */
function readOffset(format: Intl.DateTimeFormat, at: number): number {
  const fields: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) fields[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  return Date.UTC(year, month - 1, day, hour, minute, second) - at;
}
