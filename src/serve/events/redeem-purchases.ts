/**
 * Purchases that redeem offers: each offer's outcome is reported as if the caller had done so, under the id that it always has, so
 * that it counts once whoever tells of it. What cannot be put down to a decision changes nothing: the purchase is a purchase.
 */
import { z } from 'zod';
import type { DecisionOutline } from '../../decide/decision-outline.ts';
import { holderIn } from '../../decide/ledger/fold-contacts.ts';
import { claimRedemption } from '../../decide/outcome-log.ts';
import { lastDecisionWith, purchaseId } from '../../decide/redeeming-purchase.ts';
import { contactsOf, settleRepeated } from '../../decide/settle-outcome.ts';
import { type DecisionSubject, knownSubject, subjectIdOf } from '../../decide/subject.ts';
import { eventValueMinor, type ParsedEventInput, type ShopEvent } from '../../domain/event.ts';
import { OfferId } from '../../domain/ids.ts';
import { findManyLogged } from '../decide/explain-decision.ts';
import { wasMadeFor } from '../decide/made-for.ts';
import {
  isStandIn,
  isToldTooLate,
  offerOf,
  redemptionKnownSeconds,
  reportFor,
} from '../decide/report-outcome.ts';
import type { Deps } from '../deps.ts';
import type { EventResult } from './accept-events.ts';
import { withStampedLines } from './stamp-lines.ts';

type Purchase = Extract<ParsedEventInput, { type: 'purchase' }>;
type Redeemed = NonNullable<Purchase['redeemed']>[number];

export const Redemption = z.object({
  offerId: OfferId,
  /** The decision that it was put down to. */
  decisionId: z.string().optional(),
  /**
   * `redeemed`; `early`, `late`: it was not made yet, or the time for it was over, so that the purchase is not the offer's;
   * `repeated`: another purchase has redeemed it, so that the budget does not pay for it again; `tooLate`: told of so late that it is not
   * counted; `fallback`: it stands in where nothing is worth making, and there is nothing of it to redeem; `unknown`: no decision made this customer such an offer; `failed`: could not be looked up now, report it as an outcome of its decision.
   */
  status: z.enum(['redeemed', 'early', 'late', 'repeated', 'tooLate', 'fallback', 'unknown', 'failed']),
});
export type Redemption = z.output<typeof Redemption>;

/** Those of each event, by its place; empty for most. Events that were rejected redeem nothing, repeats the same again. */
export async function redeemPurchases(
  inputs: readonly ParsedEventInput[],
  results: readonly EventResult[],
  deps: Deps,
): Promise<Map<number, Redemption[]>> {
  const purchases = [...inputs.entries()].flatMap(([index, input]) =>
    input.type === 'purchase' && input.redeemed !== undefined && results[index]?.status !== 'rejected'
      ? [{ index, purchase: input, redeemed: input.redeemed }]
      : [],
  );
  // Of all of them, before any is reported: one question to the lake, and not one each.
  const claims = purchases.map(({ purchase, redeemed }) =>
    redeemed.map((one) => ({ redeemed: one, decisionId: decisionIdOf(purchase, one, deps) })),
  );
  const ids = await Promise.allSettled(claims.flat().map(({ decisionId }) => decisionId));
  const decisions = findManyLogged(
    ids.flatMap((id) => (id.status === 'fulfilled' && id.value !== undefined ? [id.value] : [])),
    deps,
  );
  const redemptions = new Map<number, Redemption[]>();
  for (const [at, { index, purchase }] of purchases.entries()) {
    const ofEvent: Redemption[] = [];
    const id = purchaseId(purchase.orderId, results[index]?.eventId);
    for (const { redeemed, decisionId } of claims[at] ?? [])
      ofEvent.push(
        await redeemSafely(
          purchase,
          id,
          redeemed,
          async () => {
            const id = await decisionId;
            return id === undefined ? undefined : await decisions.get(id);
          },
          deps,
        ),
      );
    redemptions.set(index, ofEvent);
  }
  return redemptions;
}

type FindClaimed = () => Promise<DecisionOutline | undefined>;

async function redeemSafely(
  purchase: Purchase,
  id: string,
  redeemed: Redeemed,
  find: FindClaimed,
  deps: Deps,
): Promise<Redemption> {
  const { offerId } = redeemed;
  try {
    return await redeem(purchase, id, redeemed, await find(), deps);
  } catch (err) {
    // The purchase has been accepted: to refuse it now would have it sent twice.
    deps.log.error(
      { event: 'redemption.failed', err, offerId },
      'a purchase could not be put down to its offer',
    );
    return { offerId, status: 'failed' };
  }
}

async function redeem(
  purchase: Purchase,
  id: string,
  { offerId, costMinor, decisionId }: Redeemed,
  decision: DecisionOutline | undefined,
  deps: Deps,
): Promise<Redemption> {
  // Without a decision named it is looked for among what reserved something, as no fallback does.
  const isFallback = decisionId === undefined && deps.catalogue.offers.get(offerId)?.fallback === true;
  if (decision === undefined && isFallback) return { offerId, status: 'fallback' };
  const offer = decision && offerOf(decision, offerId);
  if (decision === undefined || offer === undefined) return { offerId, status: 'unknown' };
  // One that was looked up in the subject's own contacts needs no further look.
  if (decisionId !== undefined && !(await wasMadeFor(decision, purchase, deps)))
    return { offerId, status: 'unknown' };
  if (isStandIn(decision, offer)) return { offerId, decisionId: decision.decisionId, status: 'fallback' };
  if (isToldTooLate(decision, offer, deps))
    return { offerId, decisionId: decision.decisionId, status: 'tooLate' };
  const priced = withStampedLines(purchase, deps.catalogue);
  const valueMinor = Math.max(0, eventValueMinor(priced as ShopEvent));
  const seconds = redemptionKnownSeconds(decision, offer, deps);
  const contacts = await contactsOf(decision, deps);
  const holder = holderIn(contacts?.read.history ?? [], decision, offer);
  if (!(await claimRedemption(holder, offerId, id, seconds, deps))) {
    const again = { holder, purchase: id, valueMinor, costMinor };
    const budget = await settleRepeated(decision, offer, again, deps.market.known(), deps);
    if (budget !== undefined) deps.metrics.budgetOutcomes.inc({ outcome: budget });
    return { offerId, decisionId: decision.decisionId, status: 'repeated' };
  }
  const { attribution } = await reportFor(
    decision,
    offer,
    {
      offerId,
      outcome: 'redeemed',
      valueMinor,
      costMinor,
      occurredAt: purchase.occurredAt,
      eventId: undefined,
    },
    deps,
  );
  const status = attribution === 'attributed' ? 'redeemed' : attribution;
  return { offerId, decisionId: decision.decisionId, status };
}

/** The one that is named, or else the last that made the offer to this customer. */
async function decisionIdOf(
  purchase: Purchase,
  { offerId, decisionId }: Redeemed,
  deps: Deps,
): Promise<string | undefined> {
  if (decisionId !== undefined) return decisionId;
  for (const subject of await subjectsOf(purchase, deps)) {
    const { history } = await deps.contacts.read(subjectIdOf(subject));
    const last = lastDecisionWith(offerId, history, purchase.occurredAt ?? deps.now());
    if (last !== undefined) return last;
  }
  return undefined;
}

/** Of a guest who has logged in, the customer first. */
async function subjectsOf({ customerId, sessionId }: Purchase, deps: Deps): Promise<DecisionSubject[]> {
  const session = sessionId && { sessionId };
  const known = customerId === undefined ? session && (await knownSubject(session, deps)) : { customerId };
  return [known, session].filter((subject) => subject !== undefined);
}
