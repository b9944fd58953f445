/**
 * What goes on between customer and shop besides buying: points, messages, surveys, community. Drawn from a stream of its
 * own. Points redeemed and taking part bind (`departure.ts`); answers to surveys and messages only show how things stand.
 */
import { createRng, type Rng } from '../algorithms/rng.ts';
import { COMMUNITY_ACTIVITIES } from '../domain/event.ts';
import { dayMs, hourMs } from '../domain/time.ts';
import { YEAR_DAYS } from './calendar.ts';
import { isActive, type Journey, type Shop } from './journey.ts';

export type Engagement = {
  rng: Rng;
  /** How often the customer takes part a year of mean season; 0 for most. */
  activitiesPerYear: number;
  /** Share of messages that are opened while all is well. */
  openShare: number;
  /** Balance of the programme, whose members are those with a tier. */
  points: number;
};

const SOCIABLE_SHARE = 0.3;
const ACTIVITY_SUMS = [0.5, 0.65, 1];
/** Days between two campaigns. */
const CAMPAIGN_DAYS = 28;
const SURVEY_DAYS = 120;
const ANSWER_SHARE = 0.4;
const CLICK_SHARE = 0.2;
const FADING_OPEN_SHARE = 0.4;
const FADING_ACTIVITY_SHARE = 0.3;
/** Points are redeemed in whole vouchers, one order in two that could. */
const VOUCHER_POINTS = 200;
const REDEEM_SHARE = 0.5;
const POINTS_LAST_DAYS = 365;

export function createEngagement(
  shop: Pick<Shop, 'options'>,
  index: number,
  hiddenTrait: number,
): Engagement {
  const rng = createRng(shop.options.seed, 'customer', index, 'engagement');
  return {
    rng,
    activitiesPerYear: rng.chance(SOCIABLE_SHARE) ? 1 + 3 * rng.exponential() : 0,
    openShare: Math.min(0.9, Math.max(0.03, 0.15 + 0.5 * rng.next() - 0.08 * hiddenTrait)),
    points: 0,
  };
}

export function planEngagement(journey: Journey): void {
  const { traits, agenda, engagement } = journey;
  planMessage(journey, traits.arrivesAt);
  planActivity(journey, traits.arrivesAt);
  agenda.plan(traits.arrivesAt + SURVEY_DAYS * dayMs * (0.5 + engagement.rng.next()), { kind: 'survey' });
  agenda.plan(traits.arrivesAt + POINTS_LAST_DAYS * dayMs, { kind: 'expiry' });
}

/** Members collect a point for each whole unit of the currency, and now and then pay with a voucher. */
export function collectPoints(
  journey: Journey,
  at: number,
  orderId: string,
  valueMinor: number,
  rng: Rng,
): void {
  const { engagement, writer, departure } = journey;
  const earned = Math.floor(valueMinor / 100);
  if (journey.tier === 'none' || earned <= 0) return;
  writer.points(at, 'earned', earned, orderId);
  engagement.points += earned;
  if (engagement.points < VOUCHER_POINTS || !rng.chance(REDEEM_SHARE)) return;
  engagement.points -= VOUCHER_POINTS;
  writer.points(at, 'redeemed', VOUCHER_POINTS, orderId);
  departure.pointsRedeemed();
}

/** Once a year what is left lapses. */
export function expirePoints({ engagement, writer, agenda }: Journey, at: number): void {
  agenda.plan(at + POINTS_LAST_DAYS * dayMs, { kind: 'expiry' });
  if (engagement.points === 0) return;
  writer.points(at, 'expired', engagement.points, undefined);
  engagement.points = 0;
}

/** The next campaign is at nine in the morning of every 28th day, the same for all who consent to e-mail. */
function planMessage({ shop, agenda, engagement }: Journey, after: number): void {
  const number = Math.floor((after - shop.calendar.startAt) / (CAMPAIGN_DAYS * dayMs)) + 1;
  const sentAt = shop.calendar.startAt + number * CAMPAIGN_DAYS * dayMs + 9 * hourMs;
  agenda.plan(sentAt + 2 * hourMs * engagement.rng.next(), {
    kind: 'message',
    campaign: campaignOf(shop, sentAt),
  });
}

/** Name of the campaign that was the last at this time. */
export function campaignOf({ calendar }: Shop, at: number): string {
  const day = Math.floor((at - calendar.startAt) / dayMs);
  return `news-${(calendar.dateTexts[day - (day % CAMPAIGN_DAYS)] ?? '').slice(0, 10)}`;
}

/** The shop does not know who is gone: it writes to everybody who consents. */
export function sendMessage(journey: Journey, at: number, campaign: string): void {
  const { traits, writer, engagement, agenda } = journey;
  planMessage(journey, at);
  if (!traits.consent.email) return;
  writer.marketing(at, campaign, 'sent');
  const { rng, openShare } = engagement;
  if (!isActive(journey)) return;
  if (rng.chance(openShare * (journey.phase === 'fading' ? FADING_OPEN_SHARE : 1)))
    agenda.plan(at + 6 * hourMs * rng.exponential(), { kind: 'opened', campaign });
}

export function openMessage(journey: Journey, at: number, campaign: string): void {
  if (!isActive(journey)) return;
  const { writer, engagement } = journey;
  writer.marketing(at, campaign, 'opened');
  if (engagement.rng.chance(CLICK_SHARE)) writer.marketing(at + 20_000, campaign, 'clicked');
}

/** Would the customer recommend the shop? Less with each grievance, and less where the hidden trait is restless. */
export function answerSurvey(journey: Journey, at: number): void {
  if (!isActive(journey)) return;
  const { agenda, engagement, departure, traits, writer } = journey;
  const { rng } = engagement;
  agenda.plan(at + SURVEY_DAYS * dayMs * (0.8 + 0.4 * rng.next()), { kind: 'survey' });
  if (!rng.chance(ANSWER_SHARE)) return;
  const mean = 8 - 0.9 * traits.hiddenTrait - 1.8 * departure.grievances;
  writer.nps(at, Math.min(10, Math.max(0, Math.round(mean + 1.6 * rng.normal()))));
}

function planActivity({ engagement, agenda, shop }: Journey, after: number): void {
  if (engagement.activitiesPerYear === 0) return;
  const gapDays = (YEAR_DAYS / engagement.activitiesPerYear) * engagement.rng.exponential();
  agenda.plan(shop.calendar.after(after, gapDays), { kind: 'activity' });
}

export function takePart(journey: Journey, at: number): void {
  if (!isActive(journey)) return;
  const { engagement, writer, departure } = journey;
  planActivity(journey, at);
  if (journey.phase === 'fading' && !engagement.rng.chance(FADING_ACTIVITY_SHARE)) return;
  writer.community(at, COMMUNITY_ACTIVITIES[engagement.rng.categorical(ACTIVITY_SUMS)] ?? 'attendance');
  departure.tookPart();
}
