import { z } from 'zod';

/** Asking the runtime takes a hundred times as long as everything else about an event. */
const known = new Map<string, boolean>();
const knownMax = 1000;

/** IANA name of a time zone that this machine knows; a distance such as +02:00 is none, for it has no summer time. */
export const TimeZone = z
  .string()
  .min(1)
  .max(60)
  .refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin');

function isTimeZone(name: string): boolean {
  let answer = known.get(name);
  if (answer === undefined) {
    answer = isFormattable(name);
    if (known.size < knownMax) known.set(name, answer);
  }
  return answer;
}

function isFormattable(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return /^[A-Za-z]/.test(timeZone);
  } catch {
    return false;
  }
}
