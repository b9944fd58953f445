/** The next best offer, for pages and for e-mail tools, and what became of it. */
import { z } from 'zod';
import { type DecideRequest, decide, decideDry, degradedDecision, noContext } from '../../decide/decide.ts';
import { logDecision, loggedForm } from '../../decide/decision-log.ts';
import { readStanding, type StandingRead, standingMark } from '../../decide/read-standing.ts';
import { decisionStanding, firstEnd, type StandingRequest } from '../../decide/standing-decision.ts';
import { knownSubject } from '../../decide/subject.ts';
import { Channel } from '../../domain/channel.ts';
import type { Decision } from '../../domain/decision.ts';
import { AppError } from '../../domain/errors.ts';
import { Instant } from '../../domain/event.ts';
import { CustomerId, EventId, ItemId, OfferId, SessionId } from '../../domain/ids.ts';
import { PriceMinor } from '../../domain/money.ts';
import { OfferOutcome } from '../../domain/offer.ts';
import { isRedisTrouble } from '../../infra/redis.ts';
import { isStoreFault } from '../../infra/refused-writes.ts';
import { ExplainedDecision, explainDecision, withExplanation } from '../decide/explain-decision.ts';
import { AnsweredDecision, answerOf, presentDecision } from '../decide/present.ts';
import { noSuchDecision, reportOutcome } from '../decide/report-outcome.ts';
import type { Counted } from '../decide/standing-answers.ts';
import type { Deps } from '../deps.ts';
import { Flag } from '../query.ts';
import { defineRoute, JsonText } from '../route.ts';

const label = z
  .string()
  // Half of a surrogate pair (Cs) would not survive UTF-8.
  .regex(/^[^\p{Cc}\p{Cs}]{1,100}$/u, 'must have 1 to 100 characters, no control characters among them');

const limitMax = 10;
const DecisionAnswer = AnsweredDecision.meta({ id: 'Decision' });

const DecideBody = z
  .strictObject({
    customerId: CustomerId.optional(),
    /** Of a guest; passed over where there is a customerId. One that has logged in is decided for as the customer. */
    sessionId: SessionId.optional(),
    channel: Channel,
    /** Filled in this order; an offer fills one of them. */
    placements: z
      .array(label)
      .min(1)
      .max(20)
      .refine((places) => new Set(places).size === places.length, 'must not name a placement twice')
      .default(['default']),
    campaign: label.optional(),
    /** Offers a placement takes at most. */
    limit: z.int().min(1).max(limitMax).default(1),
    /** Decides without logging: no decisionId, no counts. */
    dryRun: z.boolean().default(false),
    /** Adds every term of the priorities. */
    explain: z.boolean().default(false),
    /** What the customer is doing right now. */
    context: z
      .strictObject({
        /** On the page or in the basket. */
        itemIds: z.array(ItemId).max(100).default([]),
        /** Value of the basket; stands for the customer's average order. */
        basketMinor: PriceMinor.optional(),
      })
      .default({ itemIds: [] }),
  })
  .refine((body) => body.customerId !== undefined || body.sessionId !== undefined, {
    message: 'a decision needs a customerId or a sessionId',
    path: ['customerId'],
    when: ({ value }) => typeof value === 'object' && value !== null,
  })
  .meta({ id: 'DecideRequest' });

const limitFault = 'must be a whole number from 1 on';
const StandingQuery = z.strictObject({
  channel: Channel.default('email'),
  placement: label.default('default'),
  campaign: label.optional(),
  /** More than ten are ten. */
  limit: z.coerce
    .number<string>({ error: limitFault })
    .int({ error: limitFault })
    .min(1, { error: limitFault })
    .transform((wanted) => Math.min(wanted, limitMax))
    .default(1),
  explain: Flag,
});

/** The fallback, out of this process's memory. */
function standInFor(
  customerId: CustomerId,
  { channel, placement, campaign, limit, explain }: z.output<typeof StandingQuery>,
  deps: Deps,
): AnsweredDecision {
  const place = { subject: { customerId }, channel, placements: [placement], campaign };
  const decision = degradedDecision({ ...place, limit, context: noContext }, deps);
  deps.metrics.standing.add('decided');
  return presentDecision(counted(decision, deps), explain);
}

// One customer's answer, which may be withdrawn at any moment: nobody in between is to keep it. That it stays the same
// is this service's promise, not a cache's.
const headers = { 'cache-control': 'private, no-store' };

function counted(decision: Decision, deps: Pick<Deps, 'metrics'>): Decision {
  countAnswer(seriesOf(decision, deps), deps);
  return decision;
}

function seriesOf(decision: Decision, { metrics }: Pick<Deps, 'metrics'>): Counted {
  const { channel, degraded, experiment, furtherExperiments = [] } = decision;
  const experiments = experiment === null ? [] : [experiment, ...furtherExperiments];
  return { decisions: metrics.decisions.of(channel, answerOf(decision), `${degraded}`), experiments };
}

function countAnswer({ decisions, experiments }: Counted, { metrics }: Pick<Deps, 'metrics'>): void {
  for (const { name, variant } of experiments) metrics.experimentAnswers.inc({ experiment: name, variant });
  decisions.count++;
}

/** What is not logged, such as in a full stream, is not to be held against any budget. */
async function decideAndLog(request: DecideRequest, deps: Deps): Promise<Decision> {
  const { decision, release } = await decide(request, deps);
  const logged = loggedForm(decision);
  if (logged === undefined) return decision;
  try {
    await logDecision(logged, deps);
  } catch (err) {
    await release().catch((cause: unknown) =>
      deps.log.warn({ event: 'decision.unreleased', err: cause }, 'what a decision reserved will lapse'),
    );
    throw err;
  }
  return decision;
}

type AnswerBody = z.input<typeof DecisionAnswer>;
type OffersReply = { status: 200; headers: typeof headers; body: AnswerBody | JsonText<AnswerBody> };

/** What this process has not answered before, or what has changed since; rejects where nothing can be decided. */
async function answerStanding(
  {
    question,
    request,
    explain,
    revision,
  }: { question: string; request: StandingRequest; explain: boolean; revision: number },
  read: StandingRead,
  deps: Deps,
): Promise<OffersReply> {
  let decision = await decisionStanding(read, request, deps);
  const mark = standingMark(read, decision);
  // As of now, and not of when it was decided. It ends with the record's stamp, as what is kept does: the hour and other messages do not.
  const known = { consent: read.record()?.attributes.consent ?? {} };
  deps.metrics.standing.add(mark === undefined ? 'decided' : 'stood');
  if (explain) decision = await withExplanation(decision, deps);
  else if (mark !== undefined) {
    const json = JSON.stringify(presentDecision(decision, explain, known));
    const bytes = Buffer.byteLength(json);
    deps.standing.keep(
      question,
      mark,
      { revision, until: firstEnd(decision, deps.catalogue) },
      { json, bytes, counted: seriesOf(decision, deps) },
    );
  }
  return { status: 200, headers, body: presentDecision(counted(decision, deps), explain, known) };
}

/** Redis is away, or its event stream is full: what cannot be logged is not decided. */
function isStoreTrouble(thrown: unknown): boolean {
  if (thrown instanceof AppError) return thrown.code === 'TOO_MANY_REQUESTS' || isStoreFault(thrown);
  return isRedisTrouble(thrown);
}

const tags = ['decisions'] as const;
const decisionParams = z.strictObject({
  decisionId: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\w-]+$/),
});

export const decisionRoutes = [
  defineRoute({
    method: 'POST',
    path: '/offers/decide',
    scope: 'decide',
    summary: 'The next best offers for a customer or guest, or none where saying nothing is best',
    description:
      'Decided anew each time, from what is known this moment. By `email` and `phone`, `contactable` says whether anything may be ' +
      'sent now: consent, control group, quiet hours, minimum gap and caps (`reasonCode`). Without Redis the answer is a fallback offer, with ' +
      '`degraded: true` and no decisionId.',
    tags,
    body: DecideBody,
    responses: { 200: DecisionAnswer },
    problems: [413, 415],
    handler: async ({ body }, deps) => {
      const request: DecideRequest = {
        subject: body.customerId
          ? { customerId: body.customerId }
          : { sessionId: body.sessionId as SessionId },
        channel: body.channel,
        placements: body.placements,
        campaign: body.campaign,
        limit: body.limit,
        context: { itemIds: body.context.itemIds, basketMinor: body.context.basketMinor },
      };
      let decision: Decision;
      try {
        const known = { ...request, subject: await knownSubject(request.subject, deps) };
        decision = body.dryRun ? await decideDry(known, deps) : await decideAndLog(known, deps);
      } catch (err) {
        if (!isStoreTrouble(err)) throw err;
        decision = degradedDecision(request, deps);
      }
      return { status: 200, headers, body: presentDecision(counted(decision, deps), body.explain) };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/customers/{customerId}/offers',
    scope: 'decide',
    hot: true,
    summary: 'The offer that stands for a customer, for e-mail tools that fetch at send time',
    description:
      'The same answer for the same customer, channel, campaign and placement, however often and wherever it is asked, for ' +
      'a day or until the offer ends (`standsUntil`). Why other offers were not made, `excluded`, is answered with `explain` ' +
      'alone. By `email` and `phone`, `contactable` says whether anything may be sent, the fallback too: by the consent as it is ' +
      'at each call, and the control group (`reasonCode`), not by quiet hours, gaps and caps, which are for making an offer. ' +
      'Asking is not an impression: report what was seen as an outcome. ' +
      'A smaller `limit` shortens the answer; a larger one does not lengthen it. What e-mail tools append to links (`utm_…`, ' +
      '`mc_…`, `gclid` and its like, `_…`) is passed over, an ' +
      'empty parameter counts as left out, and of one given twice the last counts. Where nothing can be decided, or this process is asked too much, the answer is 200 with a ' +
      'fallback offer, if the shop has one, and `degraded: true`. What remains are wrong parameters (400), a key that is ' +
      'missing (401) or good for something else (403), and more calls than the key may make (429).',
    tags,
    params: z.strictObject({ customerId: CustomerId }),
    query: StandingQuery,
    forgivesQuery: true,
    responses: { 200: DecisionAnswer },
    handler: ({ params: { customerId }, query, search }, deps) => {
      const { channel, placement, campaign, limit, explain } = query;
      const request = { subject: { customerId }, channel, placement, campaign, limit, context: noContext };
      // No id has a question mark, and no query comes without one.
      const question = `${customerId}?${search}`;
      const standIn = (err: unknown): OffersReply => {
        // An e-mail with a gap is worse than one with the fallback, whatever the fault is.
        if (!isStoreTrouble(err)) deps.log.error({ event: 'decision.failed', err }, 'a decision failed');
        return { status: 200, headers, body: standInFor(customerId, query, deps) };
      };
      // Before anything is read.
      const { revision } = deps.catalogue;
      return readStanding(request, deps)
        .then((read): OffersReply | Promise<OffersReply> => {
          const given = deps.standing.find(question, read);
          if (given === undefined)
            return answerStanding({ question, request, explain, revision }, read, deps);
          countAnswer(given.counted, deps);
          deps.metrics.standing.add('given');
          return { status: 200, headers, body: new JsonText<AnswerBody>(given.json, given.bytes) };
        })
        .catch(standIn);
    },
    whenBusy: ({ params: { customerId }, query }, deps) => ({
      status: 200,
      headers,
      body: standInFor(customerId, query, deps),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/decisions/{decisionId}',
    scope: 'read',
    summary:
      'A past decision in full: terms, inputs, versions, outcomes so far, and its offers and the policy as they were then',
    description:
      'Out of the event stream until the lake has it, and for ever out of the lake, where it may take a second to find. ' +
      '`inputs` is what was known of the customer: every feature, and what the contact policy saw. The reason for each offer ' +
      'that was not made names its version: `GET /offers/{offerId}/versions/{offerVersion}` tells what that said. Those that ' +
      'passed every rule have their `expectedValue`, and those that came closest their `terms`.',
    tags,
    params: decisionParams,
    responses: { 200: ExplainedDecision.meta({ id: 'ExplainedDecision' }) },
    problems: [404, 429, 503],
    handler: async ({ params: { decisionId } }, deps) => {
      const decision = await explainDecision(decisionId, deps);
      if (decision === undefined) throw noSuchDecision();
      return { status: 200, headers, body: decision };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/decisions/{decisionId}/outcomes',
    scope: 'events',
    summary: 'Reports that an offer was viewed, clicked, redeemed or dismissed',
    description:
      'May be sent again at will: an outcome of an offer counts once a decision, unless it comes with an `eventId` of its ' +
      'own. A redemption counts once in any case; one after `redeemableUntil`, or more than a day before the ' +
      'decision, is taken, but not `attributed` to the offer.',
    tags,
    params: decisionParams,
    body: z
      .strictObject({
        offerId: OfferId,
        outcome: OfferOutcome,
        /** Value of the order that it led to. */
        valueMinor: PriceMinor.optional(),
        /** Of a redemption: what it has cost the shop. By default what the benefit costs on an order of that value. */
        costMinor: PriceMinor.optional(),
        /** When it happened, where that was earlier. */
        occurredAt: Instant.optional(),
        eventId: EventId.optional(),
      })
      .meta({ id: 'OutcomeReport' }),
    responses: { 202: z.object({ eventId: z.string(), duplicate: z.boolean(), attributed: z.boolean() }) },
    problems: [404, 409, 413, 415, 429, 503],
    handler: async ({ params: { decisionId }, body }, deps) => {
      const { offerId, outcome, valueMinor, costMinor, occurredAt, eventId } = body;
      const report = { offerId, outcome, valueMinor, costMinor, occurredAt, eventId };
      return { status: 202, body: await reportOutcome(decisionId, report, deps) };
    },
  }),
];
