/** An offer whose budget cannot bear a single redemption could never be made. */
import type { Fault } from '../domain/errors.ts';
import type { Offer } from '../domain/offer.ts';
import type { Economics } from './cost.ts';
import { reservedCostMinor } from './reserved-cost.ts';

/** A budget of 0 is left alone: it says that nothing is to be spent for now. `place` is where the offer stands in the request. */
export function budgetFault(
  { benefit, budget }: Pick<Offer, 'benefit' | 'budget'>,
  economics: Economics,
  place: string,
): Fault[] {
  const amountMinor = budget?.amountMinor ?? 0;
  const costMinor = reservedCostMinor(benefit, economics);
  if (amountMinor === 0 || costMinor <= amountMinor) return [];
  return [
    {
      path: `${place}budget.amountMinor`,
      message:
        `is ${amountMinor}, and one redemption may cost ${costMinor}, so that the offer could never be made: ` +
        'raise the budget, or lower what the benefit may cost (maxMinor, amountMinor, costMinor, points, maxPoints)',
    },
  ];
}
