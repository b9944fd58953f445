/**
 * An offer reaches a customer, and what comes of it: read or not, an order that would not have been, a discount on one that
 * would, a grievance, a bond. Everything about a contact is drawn from a stream of its own, named by customer and time: what
 * one policy's contact does not change stays the same under every other policy.
 */
import { createRng, type Rng } from '../algorithms/rng.ts';
import { dayMs, hourMs } from '../domain/time.ts';
import { type ContactDraws, type Happening, isActive, type Journey } from './journey.ts';
import { addFatigue, responseTo, type SimulatedOffer } from './offer-effects.ts';
import { order } from './shopping.ts';

/** Share of the irritation that shows: the message is dismissed. */
const DISMISSALS_PER_IRRITATION = 2;
const CLICK_SHARE = 0.15;

/** A message of e-mail with the offer in it. Of those who are gone the shop does not know: it writes to them too. */
export function contact(journey: Journey, at: number, simulated: SimulatedOffer, decisionId: string): void {
  const { shop, writer, agenda, departure, disposition } = journey;
  const rng = createRng(shop.options.seed, 'customer', journey.index, 'contact', at);
  // All at once and in this order: what is drawn for one thing must not depend on another.
  const draws: ContactDraws = {
    seen: rng.next(),
    delay: rng.next(),
    wonBack: rng.next(),
    persuaded: rng.next(),
    uses: rng.next(),
    day: rng.next(),
    hour: rng.next(),
    clicked: rng.next(),
    dismissed: rng.next(),
  };
  const response = responseTo(journey, simulated, at);
  writer.marketing(at, `offer-${simulated.offer.offerId}`, 'sent');
  addFatigue(disposition, at);
  departure.irritated(response.irritation);
  if (draws.seen >= response.seen) return;
  const coupon = { simulated, decisionId, until: 0 };
  agenda.plan(at + 12 * hourMs * draws.delay, { kind: 'seen', coupon, response, draws, rng });
}

/** The message is read. What it does has been drawn when it was sent. */
export function seeOffer(journey: Journey, at: number, seen: Happening & { kind: 'seen' }): void {
  if (!isActive(journey)) return;
  const { writer, departure, agenda } = journey;
  const { coupon, response, draws, rng } = seen;
  const { offer } = coupon.simulated;
  writer.marketing(at, `offer-${offer.offerId}`, 'opened');
  const tell = (after: number, outcome: 'viewed' | 'clicked' | 'dismissed') =>
    writer.offerOutcome(at + after, 'email', coupon.decisionId, offer.offerId, outcome, undefined);
  tell(1000, 'viewed');
  departure.caredFor(response.caredFor);
  if (journey.phase === 'fading' && draws.wonBack < response.wonBack) comeBack(journey, rng);
  const persuaded = draws.persuaded < response.persuaded;
  const uses = !persuaded && draws.uses < response.uses;
  coupon.until = at + offer.redeemWithinDays * dayMs;
  if (persuaded) {
    // Within the window, by daylight.
    const day = Math.floor(at / dayMs) + 1 + Math.floor(draws.day * (offer.redeemWithinDays - 1));
    agenda.plan(day * dayMs + (9 + 10 * draws.hour) * hourMs, { kind: 'persuaded', coupon, rng });
  } else if (uses) journey.coupon = coupon;
  if (persuaded || uses || draws.clicked < CLICK_SHARE) tell(20_000, 'clicked');
  else if (draws.dismissed < DISMISSALS_PER_IRRITATION * response.irritation) tell(20_000, 'dismissed');
}

/** The order that would not have been: by taste alone, so that it takes nothing from the orders to come. */
export function orderPersuaded(
  journey: Journey,
  at: number,
  { coupon, rng }: Happening & { kind: 'persuaded' },
): void {
  if (!isActive(journey)) return;
  order(journey, at, { picks: 1 + rng.poisson(journey.traits.extraPicks), rng, coupon });
}

function comeBack(journey: Journey, rng: Rng): void {
  journey.phase = 'active';
  journey.fadesUntil = Number.POSITIVE_INFINITY;
  journey.fadingFrom = undefined;
  journey.departure.cameBack(rng);
}
