/**
 * Which customers of a list explore, where the day's bound does not suffice for all: as many as it bears, by a hash of the customer and
 * the day. Whoever comes first would else have all of it, which are the same by id every day, and of the others nothing would be learnt.
 * As the hash is known before anything is drawn, what is drawn has a propensity that is right.
 */
import { cutOff, drawsOf, SALTS } from '../../algorithms/split.ts';
import type { MarketHolder } from '../../decide/market.ts';
import { dayMs } from '../../domain/time.ts';
import type { ExplorationSettings } from '../../offers/exploration.ts';
import type { Exploring } from '../../offers/offer-market.ts';

type Purse = Pick<ExplorationSettings, 'purse'>;

/** Before so many have explored it is not known what that costs a customer. */
const knownFrom = 20;
/** Until then: all of a short list, else one in ten. */
const shortList = 50;
const firstRate = 0.1;

export function createListExploring(
  { exploringLeft }: Pick<MarketHolder, 'exploringLeft'>,
  now: () => number,
) {
  /** By purse: customers who were let explore, and what that has cost. */
  const known = new Map<string, { customers: number; costMinor: number }>();
  const knownOf = ({ purse }: Purse) => {
    let of = known.get(purse);
    if (of === undefined) {
      of = { customers: 0, costMinor: 0 };
      known.set(purse, of);
    }
    return of;
  };

  /** Share of those who are yet to be decided on that may explore. */
  function rateOf(by: Purse, customersLeft: number): number {
    const { customers, costMinor } = knownOf(by);
    const leftMinor = exploringLeft(by);
    if (leftMinor === Number.POSITIVE_INFINITY) return 1;
    if (customers < knownFrom) return customersLeft <= shortList ? 1 : firstRate;
    const allMinor = (costMinor / customers) * customersLeft;
    return allMinor <= leftMinor ? 1 : leftMinor / allMinor;
  }

  /** As it is for one customer, with `customersLeft` of the list to be decided on, herself among them. */
  return (exploring: Exploring, customerId: string, customersLeft: number): Exploring => {
    const may = new Map<string, boolean>();
    const mayExplore = (by: Purse) => {
      let allowed = may.get(by.purse);
      if (allowed === undefined) {
        const { x } = drawsOf(SALTS.listExploring(Math.floor(now() / dayMs)), customerId);
        allowed = x < cutOff(rateOf(by, customersLeft));
        if (allowed) knownOf(by).customers++;
        may.set(by.purse, allowed);
      }
      return allowed;
    };
    return {
      afford: (costMinor, take, by) => {
        if (!mayExplore(by)) return false;
        if (take) knownOf(by).costMinor += costMinor;
        return exploring.afford(costMinor, take, by);
      },
      isSpent: (costMinor, by) => exploring.isSpent(costMinor, by) || !mayExplore(by),
    };
  };
}
