/**
 * What sells best, for as long as there is no model: a shop whose first weeks teach nothing yet is to show more than the order of
 * its catalogue. Read beside the requests, which only read `current`.
 */
import type { BestSeller } from '../../infra/best-sellers.ts';
import type { Models } from '../../scoring/served.ts';
import { type BesideRequests, refreshBeside } from './refresh-beside.ts';

export type BestSellersHolder = BesideRequests & {
  /** Best first; none as long as nobody has counted them. */
  readonly current: readonly BestSeller[];
};

const refreshMs = 5000;

/** `read` may reject, or find none: those that were read before stay. */
export function createBestSellers(
  models: Pick<Models, 'collaborative'>,
  read: () => Promise<readonly BestSeller[] | undefined>,
  intervalMs = refreshMs,
): BestSellersHolder {
  let current: readonly BestSeller[] = [];

  async function refresh(): Promise<void> {
    // The model knows better.
    if (models.collaborative !== undefined) return;
    current = (await read().catch(() => undefined)) ?? current;
  }

  return {
    get current() {
      return current;
    },
    ...refreshBeside(refresh, () => intervalMs),
  };
}
