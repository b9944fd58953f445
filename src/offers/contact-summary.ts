/** What the contact policy sees of a customer, in figures: for the log, so that a reason of long ago can be checked. */
import type { ContactInputs } from '../domain/decision.ts';
import type { ContactPolicy } from '../domain/decision-policy.ts';
import { OfferId } from '../domain/ids.ts';
import { type ContactHistory, countOccasions, isOpen, isStanding, lastContactAt } from './contact-history.ts';
import { brokenLimit, type ContactLimits } from './contact-limits.ts';
import type { CustomerFacts, Situation } from './customer-facts.ts';
import { minuteOfDay } from './local-time.ts';
import type { QuietHoursRule } from './quiet-hours.ts';

/** Offers that are listed of a customer who was made many, the last ones. */
const offersMax = 50;

type Seen = Pick<
  CustomerFacts,
  'timeZone' | 'complaintOpen' | 'lastRatedBelow' | 'offerAnswers' | 'contacts'
>;

export function contactSummary(
  facts: Seen,
  { channel, now, occasionId }: Pick<Situation, 'channel' | 'now' | 'occasionId'>,
  { timeZone: usual, lowRating }: Pick<ContactPolicy, 'timeZone' | 'lowRating'>,
  isQuiet: QuietHoursRule,
  limits: ContactLimits,
): ContactInputs {
  const { contacts, offerAnswers } = facts;
  const { caps, gap } = limits;
  const own = facts.timeZone === undefined ? undefined : minuteOfDay(facts.timeZone, now);
  const timeZone = own === undefined || facts.timeZone === undefined ? usual : facts.timeZone;
  const ratedAt = facts.lastRatedBelow(lowRating.below);
  const last = gap && lastContactAt(contacts, gap, now, occasionId);
  return {
    timeZone,
    localTime: clockTime(own ?? minuteOfDay(usual, now) ?? 0),
    quiet: isQuiet(channel, facts.timeZone, now),
    complaintOpen: facts.complaintOpen,
    lowRatedAt: ratedAt === undefined ? null : instant(ratedAt),
    answers: offerAnswers.map(({ offerId, outcome, at }) => ({ offerId, outcome, at: instant(at) })),
    lastContactAt: last === undefined ? null : instant(last),
    caps: caps.map(({ channels = [], times, days }) => ({
      channels: [...channels],
      times,
      days,
      counted:
        contacts.length === 0 ? 0 : countOccasions(contacts, { channels, times, days }, now, occasionId),
    })),
    limit: brokenLimit(limits, contacts, now, occasionId) ?? null,
    offers: offersOf(contacts, now),
  };
}

function offersOf(contacts: ContactHistory, now: number): ContactInputs['offers'] {
  const made = new Map<string, { made: number; lastAt: number; open: boolean }>();
  for (const contact of contacts) {
    // A message of another tool's names no offer.
    if (contact.offerId === '' || !isStanding(contact, now)) continue;
    const before = made.get(contact.offerId);
    made.set(contact.offerId, {
      made: (before?.made ?? 0) + 1,
      lastAt: Math.max(before?.lastAt ?? contact.at, contact.at),
      open: before?.open === true || isOpen(contact, now),
    });
  }
  return [...made]
    .sort(([, a], [, b]) => b.lastAt - a.lastAt)
    .slice(0, offersMax)
    .map(([offerId, { lastAt, ...rest }]) => ({
      offerId: OfferId.parse(offerId),
      ...rest,
      lastAt: instant(lastAt),
    }));
}

/** `21:30`, of minutes since midnight. */
function clockTime(minute: number): string {
  const padded = (part: number) => String(part).padStart(2, '0');
  return `${padded(Math.floor(minute / 60))}:${padded(minute % 60)}`;
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
