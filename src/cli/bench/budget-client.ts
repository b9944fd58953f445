/**
 * Clients of one offer's budget, in a process that may be killed at any moment: `node budget-client.js JSON` goes on until it is.
 * Each reserves, then confirms, releases, does it twice, or forgets about it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRng, type Rng } from '../../algorithms/rng.ts';
import { createBudgetLedger } from '../../decide/ledger/offer-budget.ts';
import { toldWithinDays } from '../../decide/told-until.ts';
import '../../domain/fault-sentences.ts';
import { OfferId } from '../../domain/ids.ts';
import type { Budget } from '../../domain/offer.ts';
import { dayMs } from '../../domain/time.ts';
import { createKeys } from '../../infra/keys.ts';
import { createLogger } from '../../infra/logger.ts';
import { connectRedis } from '../../infra/redis.ts';
import { type BenchClock, benchTime } from './bench-clock.ts';

export type BudgetClientOptions = {
  redisUrl: string;
  keyPrefix: string;
  offerId: string;
  budget: Budget;
  clients: number;
  seed: number;
  /** How long a reservation lasts: at least, and by how much more at most. */
  leastReservedMs: number;
  reservedMs: number;
  clock: BenchClock;
};

const largestCostMinor = 300;

const [text] = process.argv.slice(2);
if (text !== undefined) await run(JSON.parse(text) as BudgetClientOptions);

async function run(options: BudgetClientOptions): Promise<void> {
  const log = createLogger('silent', 'budget-client');
  const redis = connectRedis(options.redisUrl, 'budget-client', { kind: 'patient' }, log);
  const ledger = createBudgetLedger(redis, createKeys(options.keyPrefix));
  const offer = { offerId: OfferId.parse(options.offerId), budget: options.budget };
  await redis.ping();
  process.stdout.write('at work\n');
  await Promise.all(
    Array.from({ length: options.clients }, async (_, client) => {
      const rng = createRng(options.seed, client);
      for (let n = 0; ; n++) await use(ledger, offer, `${options.seed}-${client}-${n}`, rng, options);
    }),
  );
}

async function use(
  ledger: ReturnType<typeof createBudgetLedger>,
  offer: { offerId: OfferId; budget: Budget },
  id: string,
  rng: Rng,
  { leastReservedMs, reservedMs, clock }: BudgetClientOptions,
): Promise<void> {
  const costMinor = 1 + rng.nextInt(largestCostMinor);
  const now = () => benchTime(clock);
  const decidedAt = now();
  const expiresAt = decidedAt + Math.ceil(clock.speed * (leastReservedMs + rng.nextInt(reservedMs)));
  const [answer] = await ledger.reserve(offer, [{ id, costMinor }], expiresAt, decidedAt);
  if (answer !== 'reserved') {
    await sleep(rng.nextInt(5));
    return;
  }
  const turn = rng.next();
  // Where reservations may be short, some come after theirs has lapsed.
  if (turn < 0.5) await sleep(rng.nextInt(reservedMs / 4));
  const redeemed = {
    id,
    costMinor: rng.nextInt(costMinor + 1),
    decidedAt,
    knownUntil: decidedAt + toldWithinDays * dayMs,
  };
  if (turn < 0.02) {
    await ledger.confirm(offer, redeemed, now());
    if (turn < 0.01) await ledger.confirm(offer, redeemed, now());
  } else if (turn < 0.7) {
    await ledger.release(offer.offerId, id, now());
    if (turn < 0.4) await ledger.release(offer.offerId, id, now());
  }
}
