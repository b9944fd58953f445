/**
 * `nextbest bench budgets`: many clients in several processes draw on one budget, processes are killed in between, and an
 * observer looks all the time. At no instant may more be out and spent than the budget has; afterwards what nobody used
 * comes back, and the budget can be used to its last unit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRng } from '../../algorithms/rng.ts';
import { type BudgetState, createBudgetLedger } from '../../decide/ledger/offer-budget.ts';
import { OfferId } from '../../domain/ids.ts';
import type { Budget } from '../../domain/offer.ts';
import { dayMs } from '../../domain/time.ts';
import { builtEntry } from '../../infra/built-entry.ts';
import { createKeys } from '../../infra/keys.ts';
import { createLogger } from '../../infra/logger.ts';
import { connectRedis } from '../../infra/redis.ts';
import { budgetPeriod, pacedLimits } from '../../offers/budget-period.ts';
import { type BenchClock, benchTime } from './bench-clock.ts';
import { bound } from './broken-off.ts';
import type { BudgetClientOptions } from './budget-client.ts';

export type BudgetBenchOptions = {
  redisUrl: string;
  keyPrefix: string;
  clients: number;
  processes: number;
  seconds: number;
  seed: number;
  /** By default `total` and `none`. Days and weeks pass so fast that some of them go by. */
  period?: Budget['period'];
  pacing?: Budget['pacing'];
};

export type BudgetBenchLine = {
  clients: number;
  kills: number;
  /** Looks of the observer. */
  looks: number;
  /** Of the budget, that went by. */
  periods: number;
  /** Most that was out and spent together, of the budget. */
  mostMinor: number;
  mostCount: number;
  budget: { amountMinor: number; count: number };
  /** At most, in one period. */
  confirmedCount: number;
  /** The first look that found too much; null: none did. */
  violation: string | null;
};

const reservedMs = 400;
/**
 * What is redeemed after its reservation has lapsed is paid as long as the budget has it, whatever the pace: an offer that was
 * made is not paced again. Where the pace is looked at, everybody is in time, however busy the machine.
 */
const leastReservedMs = { none: 1, even: 2000 };

/** Days or weeks that pass while the clients are at work. */
const PERIODS = 4;
const PERIOD_MS = { day: dayMs, week: 7 * dayMs, month: 30 * dayMs };
const offerId = OfferId.parse('bench');

export async function benchBudgets(
  options: BudgetBenchOptions,
  say: (text: string) => void,
): Promise<BudgetBenchLine> {
  const {
    redisUrl,
    keyPrefix,
    clients,
    processes,
    seconds,
    seed,
    period = 'total',
    pacing = 'none',
  } = options;
  const clock: BenchClock = {
    startedAt: Date.now(),
    speed: period === 'total' ? 1 : (PERIODS * PERIOD_MS[period]) / (seconds * 1000),
  };
  const now = () => benchTime(clock);
  // So small that it is used up at nearly every moment: only then is there something to break.
  const amountMinor = 20 * clients + 200 * seconds;
  const limits = { amountMinor, count: Math.ceil(amountMinor / 100) };
  const budget: Budget = { ...limits, period, pacing };
  const log = createLogger('silent', 'bench');
  const redis = connectRedis(redisUrl, 'bench', { kind: 'patient' }, log);
  const ledger = createBudgetLedger(redis, createKeys(keyPrefix));
  const offer = { offerId, budget };
  const rng = createRng(seed, 'kills');
  let started = 0;
  const start = () =>
    startClients({
      redisUrl,
      keyPrefix,
      offerId,
      budget,
      clients: Math.ceil(clients / processes),
      seed: seed * 1000 + started++,
      leastReservedMs: leastReservedMs[pacing],
      reservedMs,
      clock,
    });
  const running = Array.from({ length: processes }, start);
  const line: BudgetBenchLine = {
    clients,
    kills: 0,
    looks: 0,
    periods: 0,
    mostMinor: 0,
    mostCount: 0,
    budget: limits,
    confirmedCount: 0,
    violation: null,
  };
  const periods = new Set<string>();
  const look = (state: BudgetState, askedAt: number) => {
    // Paced by the instant at which the answer is there: what was reserved while it was asked for is in it.
    const paced = pacedLimits(budget, budgetPeriod(budget, {}, askedAt), now());
    const minor = state.confirmedMinor + state.reservedMinor;
    const count = state.confirmedCount + state.reservedCount;
    line.looks++;
    line.mostMinor = Math.max(line.mostMinor, minor);
    line.mostCount = Math.max(line.mostCount, count);
    line.confirmedCount = Math.max(line.confirmedCount, state.confirmedCount);
    const isWrong =
      minor > limits.amountMinor ||
      count > limits.count ||
      // The first of a period does not wait for its pace.
      (count > 1 && (minor > paced.amountMinor || count > paced.count)) ||
      state.reservedMinor < 0 ||
      state.reservedCount < 0;
    if (isWrong)
      line.violation ??= `at look ${line.looks}: ${JSON.stringify(state)} of ${JSON.stringify(limits)}`;
  };
  try {
    say(`${clients} clients in ${processes} processes draw on one budget …`);
    await Promise.all(running.map(({ atWork }) => atWork));
    const until = Date.now() + seconds * 1000;
    let killAt = Date.now() + 300;
    while (Date.now() < until && line.violation === null) {
      const askedAt = now();
      look(await ledger.state(offer, askedAt), askedAt);
      periods.add(budgetPeriod(budget, {}, askedAt).name);
      if (Date.now() >= killAt) {
        const victim = rng.nextInt(running.length);
        killAt = Date.now() + 200 + rng.nextInt(600);
        // One that has not begun has nothing to lose.
        if (!running[victim]?.isAtWork) continue;
        running[victim].child.kill('SIGKILL');
        running[victim] = start();
        line.kills++;
      }
    }
    await Promise.all(running.map(({ child }) => end(child)));
    say('waiting for what nobody used …');
    // Reservations last as long by the clients' clock.
    await sleep(leastReservedMs[pacing] + reservedMs);
    line.periods = periods.size;
    const endedAt = now();
    const left = await ledger.state(offer, endedAt);
    line.violation ??= await whatDoesNotComeBack(ledger, offer, left, limits, endedAt);
    return line;
  } finally {
    for (const { child } of running) child.kill('SIGKILL');
    redis.disconnect();
  }
}

/** undefined: all that was not redeemed is there, to the last unit. */
async function whatDoesNotComeBack(
  ledger: ReturnType<typeof createBudgetLedger>,
  offer: { offerId: OfferId; budget: Budget },
  left: BudgetState,
  limits: { amountMinor: number; count: number },
  now: number,
): Promise<string | null> {
  if (left.reservedCount !== 0 || left.reservedMinor !== 0)
    return `reserved after everything has lapsed: ${JSON.stringify(left)}`;
  const restMinor = limits.amountMinor - left.confirmedMinor;
  const restCount = limits.count - left.confirmedCount;
  if (restCount === 0) return null;
  // What is left waits for its pace.
  if (offer.budget.pacing === 'even') return null;
  const [last] = await ledger.reserve(offer, [{ id: 'last', costMinor: restMinor }], now + 60_000, now);
  if (last !== 'reserved') return `the rest of ${restMinor} cannot be reserved: ${last}`;
  const [more] = await ledger.reserve(offer, [{ id: 'more', costMinor: 1 }], now + 60_000, now);
  return more === 'exhausted' ? null : `one unit more than the budget was ${more}`;
}

type Clients = { child: ChildProcess; isAtWork: boolean; atWork: Promise<void> };

function startClients(options: BudgetClientOptions): Clients {
  const entry = builtEntry('./budget-client.js', import.meta.url);
  const child = bound(
    spawn(process.execPath, [entry, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  // One that ends before is found out by what it leaves undone.
  const atWork = new Promise<void>((resolve) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', () => resolve());
  });
  const clients: Clients = { child, isAtWork: false, atWork };
  void atWork.then(() => {
    clients.isAtWork = true;
  });
  return clients;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
