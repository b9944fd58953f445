/**
 * `nextbest bench overload`: what a service does when twice as much is asked of it as it can answer. First as much as it can
 * (callers that wait for their answer), then twice that rate over many connections, then nothing: how long do accepted
 * requests take, how many are refused, and when is it itself again?
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtEntry } from '../../infra/built-entry.ts';
import { createCatalogueStore } from '../../infra/catalogue-store.ts';
import { createKeys } from '../../infra/keys.ts';
import { benchOffers } from './bench-offers.ts';
import { openBenchPlace } from './bench-place.ts';
import { bound } from './broken-off.ts';
import { send } from './chaos/shopper.ts';
import type { OverloadAnswers, OverloadLoad } from './overload-load.ts';
import { keyPrefix } from './prepared-shop.ts';
import { startServer } from './serve.ts';

export type OverloadBenchOptions = {
  /** Of one measurement. */
  seconds: number;
  /** Connections over which twice the sustainable rate is asked for. */
  connections: number;
};

export type OverloadBenchLine = {
  /** 1: as much as is answered to callers that wait; 2: twice that rate. */
  load: 1 | 2;
  offeredPerSecond: number;
  acceptedPerSecond: number;
  acceptedP50Ms: number;
  acceptedP99Ms: number;
  refusedShare: number;
  refusedP99Ms: number;
  /** How late the load tool was by itself: with more than some milliseconds the machine is too busy to tell. */
  sentLateP99Ms: number;
  errors: number;
  /** From the end of this load to the first answer to a new request. */
  recoveredMs: number;
};

/** As many as keep the process busy, and fewer than those at which it begins to look whether somebody waits too long. */
const waitingCallers = 31;
const customers = 20_000;
const warmUpSeconds = 2;
/** Within so long it has to answer again: far more than any load here leaves behind. */
const recoveryMaxMs = 30_000;

export async function benchOverload(
  { seconds, connections }: OverloadBenchOptions,
  onLine: (line: OverloadBenchLine) => void,
  say: (text: string) => void,
): Promise<void> {
  const place = await openBenchPlace(undefined);
  const { env, redis } = place;
  let child: ChildProcess | undefined;
  try {
    await createCatalogueStore(redis, createKeys(keyPrefix)).putOffers(benchOffers(), Date.now());
    say('starting the service …');
    const [server, url] = await startServer(env);
    child = server;
    await untilAnswered(url);
    say('warming up …');
    const waiting = { url, connections: waitingCallers, customers };
    await runLoad({ ...waiting, seconds: warmUpSeconds });
    say('as much as it answers …');
    const sustained = await runLoad({ ...waiting, seconds });
    const perSecond = sustained.accepted / sustained.seconds;
    onLine({ ...lineOf(1, sustained), recoveredMs: await untilAnswered(url) });
    say('twice that …');
    const rate = Math.ceil(2 * perSecond);
    const twice = await runLoad({ url, connections, seconds, customers, rate });
    onLine({ ...lineOf(2, twice), recoveredMs: await untilAnswered(url) });
  } finally {
    child?.kill('SIGKILL');
    await place.close();
  }
}

const ask = { customerId: 'c0', channel: 'web' };

function lineOf(load: 1 | 2, answers: OverloadAnswers): Omit<OverloadBenchLine, 'recoveredMs'> {
  const answered = answers.accepted + answers.refused;
  return {
    load,
    offeredPerSecond: (answered + answers.errors) / answers.seconds,
    acceptedPerSecond: answers.accepted / answers.seconds,
    acceptedP50Ms: answers.p50Ms,
    acceptedP99Ms: answers.p99Ms,
    refusedShare: answers.refused / Math.max(1, answered),
    refusedP99Ms: answers.refusedP99Ms,
    sentLateP99Ms: answers.sentLateP99Ms,
    errors: answers.errors,
  };
}

/** How long it took; rejects with what came last where it is not answered within `maxMs`. */
export async function untilAnswered(url: string, maxMs = recoveryMaxMs): Promise<number> {
  const endedAt = performance.now();
  for (;;) {
    const answer = await send('POST', `${url}/offers/decide`, ask, maxMs);
    const afterMs = performance.now() - endedAt;
    if (answer?.status === 200) return afterMs;
    if (afterMs >= maxMs)
      throw new Error(
        `the service did not answer within ${maxMs / 1000} s: ` +
          `${answer === undefined ? 'no answer came' : `the last answer was ${answer.status}`}; look at its log above`,
      );
    await sleep(1);
  }
}

/** Throws where requests were neither accepted nor refused: the other figures tell only of those that were. */
export function holdNoErrors(lines: readonly Pick<OverloadBenchLine, 'load' | 'errors'>[]): void {
  const failed = lines.filter(({ errors }) => errors > 0);
  if (failed.length === 0) return;
  throw new Error(
    `${failed.map(({ load, errors }) => `${errors} requests at ${load} × the sustainable load`).join(' and ')} ` +
      'were neither accepted nor refused with 503: cut off, not answered in time, or answered with an error',
  );
}

async function runLoad(load: OverloadLoad): Promise<OverloadAnswers> {
  const entry = builtEntry('./overload-load.js', import.meta.url);
  const child = bound(
    spawn(process.execPath, [entry, JSON.stringify(load)], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  if (text === '') throw new Error('the load tool did not run; its message is above');
  return JSON.parse(text) as OverloadAnswers;
}
