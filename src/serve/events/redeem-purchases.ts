/**
 * Purchases that redeem offers: each offer's outcome is reported as if the caller had done so, under the id that it always has, so
 * that it counts once whoever tells of it. What cannot be put down to a decision changes nothing: the purchase is a purchase.
 */
import { z } from 'zod';
import type { DecisionOutline } from '../../decide/decision-outline.ts';
import { subjectIdOf } from '../../decide/subject.ts';
import { eventValueMinor, type ParsedEventInput, type ShopEvent } from '../../domain/event.ts';
import { OfferId } from '../../domain/ids.ts';
import type { ContactHistory } from '../../offers/contact-history.ts';
import { findLogged } from '../decide/explain-decision.ts';
import { wasMadeFor } from '../decide/made-for.ts';
import { offerOf, reportFor } from '../decide/report-outcome.ts';
import type { Deps } from '../deps.ts';
import type { EventResult } from './accept-events.ts';

type Purchase = Extract<ParsedEventInput, { type: 'purchase' }>;
type Redeemed = NonNullable<Purchase['redeemed']>[number];

export const Redemption = z.object({
  offerId: OfferId,
  /** The decision that it was put down to. */
  decisionId: z.string().optional(),
  /**
   * `redeemed`; `late`: the time for that was over, so that the purchase is not the offer's; `unknown`: no decision made this
   * customer such an offer; `failed`: could not be looked up now, report it as an outcome of its decision.
   */
  status: z.enum(['redeemed', 'late', 'unknown', 'failed']),
});
export type Redemption = z.output<typeof Redemption>;

/** Those of each event, by its place; empty for most. Events that were rejected redeem nothing, repeats the same again. */
export async function redeemPurchases(
  inputs: readonly ParsedEventInput[],
  results: readonly EventResult[],
  deps: Deps,
): Promise<Map<number, Redemption[]>> {
  const redemptions = new Map<number, Redemption[]>();
  for (const [index, input] of inputs.entries()) {
    if (input.type !== 'purchase' || input.redeemed === undefined) continue;
    if (results[index]?.status === 'rejected') continue;
    const ofEvent: Redemption[] = [];
    for (const redeemed of input.redeemed) ofEvent.push(await redeemSafely(input, redeemed, deps));
    redemptions.set(index, ofEvent);
  }
  return redemptions;
}

async function redeemSafely(purchase: Purchase, redeemed: Redeemed, deps: Deps): Promise<Redemption> {
  const { offerId } = redeemed;
  try {
    return await redeem(purchase, redeemed, deps);
  } catch (err) {
    // The purchase has been accepted: to refuse it now would have it sent twice.
    deps.log.error(
      { event: 'redemption.failed', err, offerId },
      'a purchase could not be put down to its offer',
    );
    return { offerId, status: 'failed' };
  }
}

async function redeem(purchase: Purchase, redeemed: Redeemed, deps: Deps): Promise<Redemption> {
  const { offerId, costMinor } = redeemed;
  const decision = await decisionOf(purchase, redeemed, deps);
  const offer = decision && offerOf(decision, offerId);
  if (decision === undefined || offer === undefined) return { offerId, status: 'unknown' };
  const { attributed } = await reportFor(
    decision,
    offer,
    {
      offerId,
      outcome: 'redeemed',
      valueMinor: Math.max(0, eventValueMinor(purchase as ShopEvent)),
      costMinor,
      occurredAt: purchase.occurredAt,
      eventId: undefined,
    },
    deps,
  );
  return { offerId, decisionId: decision.decisionId, status: attributed ? 'redeemed' : 'late' };
}

async function decisionOf(
  purchase: Purchase,
  { offerId, decisionId }: Redeemed,
  deps: Deps,
): Promise<DecisionOutline | undefined> {
  if (decisionId !== undefined) {
    const decision = await findLogged(decisionId, deps);
    return decision && (await wasMadeFor(decision, purchase, deps)) ? decision : undefined;
  }
  for (const subject of subjectsOf(purchase)) {
    const { history } = await deps.contacts.read(subjectIdOf(subject));
    const last = lastDecisionWith(offerId, history, purchase.occurredAt ?? deps.now());
    if (last !== undefined) return await findLogged(last, deps);
  }
  return undefined;
}

function subjectsOf({ customerId, sessionId }: Purchase) {
  return [
    ...(customerId === undefined ? [] : [{ customerId }]),
    ...(sessionId === undefined ? [] : [{ sessionId }]),
  ];
}

/** The last that gave the offer before the purchase, one that could still be redeemed then before all others. */
function lastDecisionWith(offerId: OfferId, history: ContactHistory, at: number): string | undefined {
  const given = history.filter((contact) => contact.offerId === offerId && contact.at <= at);
  return (given.findLast(({ redeemableUntil }) => redeemableUntil > at) ?? given.at(-1))?.decisionId;
}
