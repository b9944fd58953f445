/** Which offers to make to a customer now. Plain functions, so that routes and a batch call the same ones. */

import type { Channel } from '../domain/channel.ts';
import type { BudgetLevel, Decision, DecisionInputs, PlacementDecision } from '../domain/decision.ts';
import { AppError } from '../domain/errors.ts';
import type { CustomerRecord } from '../features/record.ts';
import { type OpenChoice, openChoice, worthwhileOffers } from '../offers/choose-offers.ts';
import type { Contact, ContactHistory } from '../offers/contact-history.ts';
import type { Situation } from '../offers/customer-facts.ts';
import { fallbackPlacements } from '../offers/fallback-placements.ts';
import { type Exploring, exploringOf, type OfferMarket } from '../offers/offer-market.ts';
import { isBuyable } from '../offers/shop-statistics.ts';
import { customerFacts, type DecisionContext } from './customer-facts.ts';
import { newDecisionId } from './decision-id.ts';
import { decisionInputs, framedInputs } from './decision-inputs.ts';
import type { DecidingDeps } from './deps.ts';
import { type FramedReasons, framedReasons } from './framed-reasons.ts';
import { type ReadContacts, withoutContacts } from './ledger/contact-ledger.ts';
import { occasionOf } from './occasion.ts';
import { releaseChoice, reserveChoice, type WriteContacts } from './reserve.ts';
import { type DecisionSubject, knownSubject, subjectIdOf } from './subject.ts';
import { modelsFor } from './trial-models.ts';

export type DecideRequest = {
  subject: DecisionSubject;
  channel: Channel;
  /** Filled in this order. */
  placements: readonly string[];
  campaign: string | undefined;
  /** Offers a place takes at most. */
  limit: number;
  context: DecisionContext;
  /** Nothing is logged, counted or spent. */
  dryRun?: boolean;
  /** Offers whose budgets are for others. */
  withheld?: (offerId: string) => boolean;
};

type SituationRequest = Pick<DecideRequest, 'channel' | 'placements' | 'context'>;

export const noContext: DecisionContext = { itemIds: [], basketMinor: undefined };

export type DecideDeps = Pick<
  DecidingDeps,
  'redis' | 'keys' | 'records' | 'catalogue' | 'models' | 'market' | 'budgets' | 'contacts' | 'now' | 'random'
>;

/** A decision whose offers are reserved; `release` gives back what it holds, where it is not answered after all. */
export type Reserved = { decision: Decision; release: () => Promise<void> };

/** Writes what a decision adds to the customer's contacts; false: they have changed meanwhile, and it is to be decided again. */
export type WriteDecided = (decision: Decision, ...write: Parameters<WriteContacts>) => Promise<boolean>;

/** As often as somebody else may be quicker with the same customer. */
const attemptsMax = 10;

/** A decision that reserves and spends nothing, and is not to be logged. Rejects when Redis is away. */
export async function decideDry(request: DecideRequest, deps: DecideDeps): Promise<Decision> {
  const { open } = await openNow({ ...request, dryRun: true }, deps);
  return open.finish();
}

/**
 * A decision that is to be logged under its id; degraded and without one, where the catalogue is not there yet. Rejects when
 * Redis is away: `degradedDecision` is the answer then. `decisionId`: one that the caller has written down, to undo it by.
 * `read`: what has been read in advance, and counts as long as nobody has been quicker. `drops`: contacts that go in the step in
 * which the new ones come. `write`: takes that step, with whatever else of this decision is to come in the same. A guest who
 * has logged in meanwhile is decided for as the customer.
 */
export async function decide(
  request: DecideRequest,
  deps: DecideDeps,
  decisionId = newDecisionId(deps.now()),
  {
    read,
    drops,
    write,
  }: {
    read?: Promise<ReadForDecision>;
    drops?: (contact: Contact) => boolean;
    write?: WriteDecided;
  } = {},
): Promise<Reserved> {
  let known = request;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const early = attempt === 0 ? read : undefined;
    const { open, contacts, market } = await openNow(known, deps, { read: early, drops });
    if (contacts.isTakenOver) {
      const subject = await knownSubject(known.subject, deps);
      const isCustomer = subject !== known.subject;
      known = { ...known, subject };
      if (isCustomer) continue;
    }
    const finished = () => {
      const decision = open.finish();
      return decision.degraded ? decision : { ...decision, decisionId };
    };
    let decided: Decision | undefined;
    const writeIt: WriteContacts | undefined =
      write &&
      ((added, now) => {
        decided = finished();
        return write(decided, added, now);
      });
    if (!(await reserveChoice(open.choice, decisionId, contacts, market, deps, writeIt))) continue;
    return {
      decision: decided ?? finished(),
      release: () => releaseChoice(open.choice, decisionId, deps),
    };
  }
  throw new AppError('STORE_UNAVAILABLE', {
    public: 'Too many decide for this customer at once.',
    internal: `a customer's contacts were changed by others in each of ${attemptsMax} attempts`,
    retryAfterSeconds: 1,
  });
}

export type ReadForDecision = {
  record: CustomerRecord | undefined;
  contacts: ReadContacts;
  market: OfferMarket;
};

/** In one round trip, as a rule. */
export async function readForDecision(
  { subject }: Pick<DecideRequest, 'subject'>,
  deps: Pick<DecideDeps, 'records' | 'contacts' | 'market'>,
): Promise<ReadForDecision> {
  const subjectId = subjectIdOf(subject);
  const [record, contacts, market] = await Promise.all([
    deps.records.read(subjectId),
    deps.contacts.read(subjectId),
    deps.market.read(),
  ]);
  return { record, contacts, market };
}

async function openNow(
  request: DecideRequest,
  deps: DecideDeps,
  {
    read = readForDecision(request, deps),
    drops,
  }: {
    read?: Promise<ReadForDecision> | undefined;
    drops?: ((contact: Contact) => boolean) | undefined;
  } = {},
) {
  const { record, contacts: found, market } = await read;
  const contacts = drops === undefined ? found : withoutContacts(found, drops);
  return { open: openDecision(request, record, contacts.history, market, deps), contacts, market };
}

/** A decision in the making: what it has chosen may still be refused. */
export type OpenDecision = {
  choice: OpenChoice;
  finish: () => Decision;
  /**
   * What `finish` answers, with what explains it apart from it and in as few bytes as the lake has it; not why others are worth
   * what they are.
   */
  finishFramed: () => { decision: Decision; reasons: FramedReasons };
};

/**
 * With everything at hand; reaches nothing. A customer without a record is one of whom nothing is known. `exploring`: in place of what the
 * market says to what exploring costs.
 */
export function openDecision(
  request: DecideRequest,
  record: CustomerRecord | undefined,
  contacts: ContactHistory,
  market: OfferMarket,
  deps: Pick<DecideDeps, 'catalogue' | 'models' | 'now' | 'random'>,
  exploring: Exploring = exploringOf(market),
): OpenDecision {
  const { context, limit, dryRun = false, withheld } = request;
  const { models, facts, situation, settings } = readSubject(request, record, contacts, market, deps);
  const { contactPolicy = market.contactPolicy } = settings;
  const choice = openChoice(market, facts, situation, {
    limit,
    withheld,
    drawing: {
      random: deps.random,
      afford: (costMinor, take, exploration) => exploring.afford(costMinor, take && !dryRun, exploration),
      isSpent: exploring.isSpent,
    },
  });
  const decided = (placements: PlacementDecision[]) => ({
    ...describe(request, market, situation.now),
    placements,
    excluded: [],
    fallback: isFallback(placements),
    modelVersions: modelVersions(models),
    degraded: !deps.catalogue.loaded,
  });
  const contactsSeen = () => contactPolicy.summaryOf(facts, situation);
  const budgets = () => budgetsOf(choice, market, withheld);
  return {
    choice,
    finish: () => {
      const { placements, excluded } = choice.result();
      const inputs = { ...decisionInputs(facts, contactsSeen(), context), ...budgets() };
      return Object.assign(decided(placements), { excluded, inputs });
    },
    finishFramed: () => {
      const inputs = Object.assign(framedInputs(facts, contactsSeen(), context), budgets());
      const decision = decided(choice.placements());
      return { decision, reasons: framedReasons(choice, market, inputs) };
    },
  };
}

/** So that it can be checked later that there was nothing left; not of those that are kept for others, who may have much of it. */
function budgetsOf(
  choice: OpenChoice,
  { budgetLevel }: OfferMarket,
  withheld: DecideRequest['withheld'],
): Pick<DecisionInputs, 'budgets'> {
  if (budgetLevel === undefined) return {};
  const budgets: BudgetLevel[] = [];
  choice.eachReason((offerId, reasonCode) => {
    if (reasonCode !== 'budget-exhausted' && reasonCode !== 'budget-paced') return;
    const level = withheld?.(offerId) ? undefined : budgetLevel(offerId);
    if (level !== undefined) budgets.push(level);
  });
  return budgets.length === 0 ? {} : { budgets };
}

/** What the offers that a decision would choose from are worth, without choosing: those worth more than nothing, best first. */
export function valueOffers(...[request, record, contacts, market, deps]: Parameters<typeof openDecision>) {
  const { facts, situation } = readSubject(request, record, contacts, market, deps);
  return worthwhileOffers(market, facts, situation);
}

/** What is known now of the customer, as a decision would be logged with it. */
export function inputsNow(...about: Parameters<typeof openDecision>): DecisionInputs {
  const [{ context }, , , market] = about;
  const { facts, situation, settings } = readSubject(...about);
  const { contactPolicy = market.contactPolicy } = settings;
  return decisionInputs(facts, contactPolicy.summaryOf(facts, situation), context);
}

function readSubject(...[request, record, contacts, market, deps]: Parameters<typeof openDecision>) {
  const now = deps.now();
  const { subject, context, channel, campaign } = request;
  const subjectId = subjectIdOf(subject);
  const settings = market.experiments.settingsFor(subjectId, now);
  const models = modelsFor(deps.models, settings);
  const facts = customerFacts(subjectId, record, models, market.items, context, now, contacts);
  const occasionId = occasionOf(channel, campaign, contacts, now);
  return { models, facts, settings, situation: { ...situationOf(request, market, now), occasionId } };
}

/** What is answered without Redis: fallback offers out of this process's copy of the catalogue. Never logged. */
export function degradedDecision(request: DecideRequest, deps: Pick<DecideDeps, 'market' | 'now'>): Decision {
  const now = deps.now();
  const market = deps.market.known();
  const placements = fallbackFor(request, market, now);
  return {
    ...describe(request, market, now),
    placements,
    excluded: [],
    fallback: isFallback(placements),
    modelVersions: {},
    degraded: true,
  };
}

/** The fallback offer for each place of the request, where one stands in for this customer. */
function fallbackFor(request: DecideRequest, market: OfferMarket, now: number): PlacementDecision[] {
  const { fallback } = market.experiments.settingsFor(subjectIdOf(request.subject), now);
  return fallback
    ? fallbackPlacements(market, situationOf(request, market, now))
    : request.placements.map((placement) => ({ placement, offers: [], fallback: false }));
}

function situationOf(
  { channel, placements, context }: SituationRequest,
  market: OfferMarket,
  now: number,
): Situation {
  return {
    channel,
    placements,
    now,
    basketMinor: context.basketMinor,
    isBuyable: (itemId) => isBuyable(market.items.get(itemId)),
  };
}

/** Has every place that shows something a stand-in? */
function isFallback(placements: readonly PlacementDecision[]): boolean {
  const filled = placements.filter(({ offers }) => offers.length > 0);
  return filled.length > 0 && filled.every(({ fallback }) => fallback);
}

function describe({ subject, channel, campaign }: DecideRequest, market: OfferMarket, now: number) {
  const subjectId = subjectIdOf(subject);
  const { experiment, furtherExperiments } = market.experiments.settingsFor(subjectId, now);
  return {
    decisionId: null,
    ...subject,
    channel,
    ...(campaign !== undefined && { campaign }),
    currency: market.currency,
    decidedAt: new Date(now).toISOString(),
    ...(market.experiments.controlGroup(subjectId).member && { controlGroup: true as const }),
    experiment,
    ...(furtherExperiments.length > 0 && { furtherExperiments: [...furtherExperiments] }),
    policyVersion: market.policyVersion,
  };
}

function modelVersions({
  collaborative,
  churn,
  customerValue,
  offers,
}: DecidingDeps['models']): Record<string, string> {
  const versions: Record<string, string> = {};
  if (collaborative) versions.collaborative = collaborative.version;
  if (churn) versions.churn = churn.version;
  if (customerValue) versions['customer-value'] = customerValue.version;
  if (offers) versions.offers = offers.version;
  return versions;
}
