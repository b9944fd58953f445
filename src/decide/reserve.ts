/**
 * Reserves what a decision has chosen before it is answered: each offer's budget, then the customer's contacts. What cannot be
 * had is taken out of the choice, which goes on without it. A process that dies in between leaves only what lapses.
 */
import type { Offer } from '../domain/offer.ts';
import { slices } from '../infra/redis-together.ts';
import type { OpenChoice } from '../offers/choose-offers.ts';
import type { Candidate } from '../offers/competition.ts';
import type { Contact } from '../offers/contact-history.ts';
import type { OfferMarket } from '../offers/offer-market.ts';
import { redeemableUntil } from '../offers/redeemable-until.ts';
import { reservedCostMinor } from '../offers/reserved-cost.ts';
import type { DecidingDeps } from './deps.ts';
import { contactFor, reportingMs } from './ledger/contact-for.ts';
import type { ContactLedger, ContactsWrite, ReadContacts } from './ledger/contact-ledger.ts';
import { type BudgetLedger, type Reserved, reservationsMax } from './ledger/offer-budget.ts';
import type { MarketHolder } from './market.ts';
import { outUntil } from './told-until.ts';

export type ReservingDeps = Pick<DecidingDeps, 'budgets' | 'contacts'> & {
  market: Pick<MarketHolder, 'refused' | 'onReservation'>;
};

/**
 * As many budgets as a decision is refused by before it takes all others for used up too. They were looked at before it chose:
 * more than one or two that were used up since are not to be expected.
 */
const refusalsMax = 20;

/** As much of a choice as is needed to reserve it. */
type Reservable = Pick<OpenChoice, 'situation' | 'chosen' | 'refuse'> & {
  facts: Pick<OpenChoice['facts'], 'subjectId'>;
};

/** A choice that is to be reserved under this id; `contacts` is what it was made by. */
export type Reserving = { choice: Reservable; decisionId: string; contacts: ReadContacts };

/**
 * The choice without what it takes to go on with another offer, the customer's record above all, where no budget can refuse one;
 * undefined where one can.
 */
export function firmChoice({ facts, situation, chosen }: OpenChoice): Reservable | undefined {
  const all = chosen();
  if (all.some(({ compiled }) => compiled.offer.budget !== undefined)) return undefined;
  const refuse = () => {
    throw new Error('an offer without a budget has been refused');
  };
  return { facts: { subjectId: facts.subjectId }, situation, chosen: () => all, refuse };
}

/**
 * Writes one choice's contacts, where it has any, with whatever is to be written in the same step; false: they have changed
 * meanwhile.
 */
export type WriteContacts = (write: ContactsWrite | undefined, now: number) => Promise<boolean>;

/**
 * false: the customer's contacts have changed since `contacts` was read, and nothing is reserved; decide again. Rejects when
 * Redis is away: what was reserved by then lapses. `write`: in place of writing the contacts alone.
 */
export async function reserveChoice(
  choice: OpenChoice,
  decisionId: string,
  contacts: ReadContacts,
  market: OfferMarket,
  deps: ReservingDeps,
  write?: WriteContacts,
): Promise<boolean> {
  const writeAll: WriteAll | undefined = write && (async ([one], now) => [await write(one, now)]);
  const reserving = { choice, decisionId, contacts };
  const [isReserved = false] = await reserveChoices([reserving], market, deps, writeAll);
  return isReserved;
}

/** Of each choice, those that there are; answers for each whether nothing has changed meanwhile. */
type WriteAll = (writes: readonly (ContactsWrite | undefined)[], now: number) => Promise<boolean[]>;

/** The same of many customers' choices, each customer's once, in a few round trips; of a budget, the first have it first. */
export async function reserveChoices(
  all: readonly Reserving[],
  market: OfferMarket,
  deps: ReservingDeps,
  writeAll: WriteAll = (writes, now) => writeNeeded(writes, now, deps.contacts),
): Promise<boolean[]> {
  const states = all.map((of): State => ({ ...of, reserved: new Set(), refusals: 0 }));
  let waiting = states;
  while (waiting.length > 0) waiting = await reserveNext(waiting, market, deps);

  const writes = states.map(({ choice, decisionId, contacts: { version, history, isShortened } }) => {
    const added = choice.chosen().flatMap((candidate) => contactOf(candidate, choice, decisionId, market));
    const { subjectId } = choice.facts;
    return added.length === 0 && !isShortened
      ? undefined
      : { subjectId, version, history: [...history, ...added] };
  });
  const now = Math.max(...all.map(({ choice }) => choice.situation.now));
  const answers = await writeAll(writes, now);
  for (const [at, { decisionId, reserved, choice }] of states.entries()) {
    if (answers[at]) continue;
    await releaseBudgets(reserved, decisionId, choice.situation.now, deps.budgets);
    deps.market.onReservation?.('conflict');
  }
  return answers;
}

async function writeNeeded(
  writes: readonly (ContactsWrite | undefined)[],
  now: number,
  contacts: Pick<ContactLedger, 'writeMany'>,
): Promise<boolean[]> {
  const needed = writes.filter((write) => write !== undefined);
  const written = needed.length === 0 ? [] : await contacts.writeMany(needed, now);
  let next = 0;
  return writes.map((write) => write === undefined || written[next++] === true);
}

type State = Reserving & { reserved: Set<Candidate>; refusals: number };

/** One offer of each choice; answers those of which there may be another. */
async function reserveNext(
  states: readonly State[],
  market: OfferMarket,
  deps: ReservingDeps,
): Promise<State[]> {
  const groups = new Map<string, Group>();
  const more: State[] = [];
  for (const state of states) {
    const chosen = state.choice.chosen();
    let next = chosen.find((candidate) => !state.reserved.has(candidate));
    // Nothing to ask for: the next one at once.
    while (next !== undefined && next.compiled.offer.budget === undefined) {
      settle(state, next, 'reserved', deps);
      next = chosen.find((candidate) => !state.reserved.has(candidate));
    }
    if (next === undefined) continue;
    more.push(state);
    // Nobody was asked: it is this decision that does without, and no word of the budget.
    if (state.refusals >= refusalsMax) state.choice.refuse(next, 'budget-exhausted');
    else groupFor(next, state, groups).members.push({ state, candidate: next });
  }
  await Promise.all(
    [...groups.values()].map(async ({ offer, until, now, members }) => {
      for (const some of slices(members, reservationsMax)) {
        const outcomes = await deps.budgets.reserve(
          offer,
          some.map(({ state, candidate }) => ({
            id: candidate.held?.decisionId ?? state.decisionId,
            costMinor: reservedCostMinor(offer.benefit, market.economics),
          })),
          until + reportingMs,
          now,
        );
        for (const [at, { state, candidate }] of some.entries())
          settle(state, candidate, outcomes[at] ?? 'exhausted', deps);
      }
    }),
  );
  return more;
}

/** Of one offer and decided at one time, so that one script can reserve all of them. */
type Group = {
  offer: Offer;
  until: number;
  now: number;
  members: { state: State; candidate: Candidate }[];
};

function groupFor(
  { compiled: { offer }, held }: Candidate,
  { choice: { situation } }: State,
  groups: Map<string, Group>,
): Group {
  const { now } = situation;
  const until = held?.redeemableUntil ?? outUntil(offer, now);
  const name = `${until} ${now} ${offer.offerId}`;
  let group = groups.get(name);
  if (group === undefined) {
    group = { offer, until, now, members: [] };
    groups.set(name, group);
  }
  return group;
}

function settle(state: State, candidate: Candidate, outcome: Reserved, { market }: ReservingDeps): void {
  market.onReservation?.(outcome);
  if (outcome === 'reserved') {
    state.reserved.add(candidate);
    return;
  }
  state.refusals++;
  const reason = outcome === 'paced' ? 'budget-paced' : 'budget-exhausted';
  // For what has become dearer since the customer has it there may be too little where there is enough for others: another period's.
  if (candidate.held === undefined) market.refused(candidate.compiled.offer.offerId, reason);
  state.choice.refuse(candidate, reason);
}

/** Gives back what a decision has reserved that is not answered after all. Offers that were held before stay so. */
async function releaseBudgets(
  candidates: Iterable<Candidate>,
  decisionId: string,
  now: number,
  budgets: Pick<BudgetLedger, 'release'>,
): Promise<void> {
  for (const { compiled, held } of candidates)
    if (compiled.offer.budget !== undefined && held === undefined)
      await budgets.release(compiled.offer.offerId, decisionId, now);
}

/** All of a decision that is not answered after all. */
export async function releaseChoice(
  choice: OpenChoice,
  decisionId: string,
  { budgets, contacts }: { budgets: Pick<BudgetLedger, 'release'>; contacts: Pick<ContactLedger, 'drop'> },
): Promise<void> {
  const { facts, situation } = choice;
  await releaseBudgets(choice.chosen(), decisionId, situation.now, budgets);
  await contacts.drop(facts.subjectId, (contact) => contact.decisionId === decisionId, situation.now);
}

function contactOf(
  { compiled: { offer }, held }: Candidate,
  { situation }: Reservable,
  decisionId: string,
  { contactPolicy }: OfferMarket,
): Contact[] {
  const { channel, now, occasionId } = situation;
  const until = held === undefined ? redeemableUntil(offer, now) : undefined;
  return contactFor(
    offer,
    { decisionId, occasionId, channel, at: now, redeemableUntil: until },
    contactPolicy,
  );
}
