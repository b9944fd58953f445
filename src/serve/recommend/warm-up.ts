/** What the first answers of a model would have to make: made when it is taken up, while no customer waits. */
import type { CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import { mostPopular } from '../../algorithms/most-popular.ts';
import { tasteOf } from './taste.ts';

const itemsBought = 5;
/** Enough for the engine to compile what ranks. */
const rankings = 5;
const nothingUnsold = { vectors: [], weights: [] };

/** Ranks for an invented buyer of what sells best. Throws where the model cannot rank. */
export function warmUp(model: CollaborativeModel): void {
  // Each segment's items are ordered for the first who asks.
  for (const segment of model.segments) mostPopular(model, segment, 1);
  const bestsellers = mostPopular(model, '', itemsBought, { unsold: true }).indices;
  const at = model.asOf;
  const history = Array.from(bestsellers, (item) => ({ item, purchaseCount: 1, firstAt: at, lastAt: at }));
  const buyer = { history, bought: new Set(bestsellers), browsed: [], segment: '' };
  for (let run = 0; run < rankings; run++) {
    const taste = tasteOf(model, buyer, nothingUnsold, at);
    taste.ials();
    taste.neighbours();
    taste.learned();
  }
}
