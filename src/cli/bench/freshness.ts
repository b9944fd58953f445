/**
 * `nextbest bench freshness`: something is posted to one process, and the next answer of another is asked for at once, again and
 * again, while pages are served beside it. Every answer must know of what was posted. Each customer is asked about once, after an
 * answer that is kept in memory and in Redis by then: a page that outlives what it was made of would be found.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRng, type Rng } from '../../algorithms/rng.ts';
import { builtEntry } from '../../infra/built-entry.ts';
import type { Redis } from '../../infra/redis.ts';
import { openBenchPlace } from './bench-place.ts';
import { bound } from './broken-off.ts';
import { copyId } from './copied-records.ts';
import type { PageLoad, PageLoadResult } from './page-load.ts';
import { fillRedis, prepareShop } from './prepared-shop.ts';
import { cpuSecondsOf } from './process-usage.ts';
import { refusingNothing, startServer } from './serve.ts';
import { type ServiceCall, serviceCalls } from './service-calls.ts';

export type FreshnessOptions = {
  asks: number;
  /** Of the service; what is posted to one is asked of another. */
  processes: number;
  /** That post and ask at once. */
  callers: number;
  /** That tell of a customer at once while she is asked about, the one who asks among them: 1, or the others post views of hers. */
  writers?: number;
  /** Pages a second that are asked for beside it, evenly. */
  load: number;
  /** Share of these whose customers were asked about a little before; the others' pages are made anew. */
  loadReturning?: number;
  items: number;
  /** Customers of the simulated shop that the others are copies of. */
  shop: number;
  /** Keeps the simulated shop and its models; one that is there is used again. */
  folder?: string;
  seed: number;
};

/** What is posted, and where it must show in the next answer. */
export const FRESH_KINDS = ['purchase', 'view', 'complaint', 'dismissal', 'consent'] as const;
export type FreshKind = (typeof FRESH_KINDS)[number];

/** Among other writers' views one more says nothing: a complaint is counted in its place. */
export function freshKindsOf(writers: number): readonly FreshKind[] {
  return FRESH_KINDS.filter((kind) => kind !== (writers === 1 ? 'complaint' : 'view'));
}

export type FreshFigures = {
  asks: number;
  /** Of the next answers, those that reflect what was posted. */
  share: number;
  /** From the sending of what is posted to the end of the first answer that reflects it. */
  p50Ms: number;
  p99Ms: number;
};

export type FreshnessLine = FreshFigures & {
  processes: number;
  callers: number;
  writers: number;
  /** Those that were asked about. */
  kinds: Partial<Record<FreshKind, FreshFigures>>;
  /** What the other writers have posted meanwhile, and how much of it was in no record when it was answered. */
  beside: Beside;
  /** Customers who could not be asked about: no offer was worth making them. */
  skipped: number;
  /** Calls that were refused for overload, and made again; the time of that counts. */
  refused: number;
  /** Pages a second that were served beside it, and those that failed. */
  loadPerSecond: number;
  loadReturning: number;
  loadErrors: number;
  loadP50Ms: number;
  loadP99Ms: number;
  /**
   * CPU time that was used a second, for the asks and the pages, 1 being one core: by the services, all of them together; by
   * their Redis; and by the measurement itself, which posts, asks, and asks for pages. NaN without /proc.
   */
  serviceCpu: number;
  redisCpu: number;
  benchCpu: number;
};

type Seen = { reflected: boolean; ms: number };
type Beside = { events: number; deferred: number };

const patienceMs = 5000;
const pollMs = 2;
/** Customers for each ask: of some no offer is worth making. */
const customersPerAsk = 3;
/** Asks that do not count, for each one that does: services that have just started run what is not compiled yet. */
const warmUpShare = 0.1;

export async function benchFreshness(
  options: FreshnessOptions,
  say: (text: string) => void,
): Promise<FreshnessLine> {
  const { loadReturning = 0, writers = 1 } = options;
  const place = await openBenchPlace(options.folder);
  const { root, folders, redis } = place;
  const children: ChildProcess[] = [];
  try {
    const env = { ...place.env, REDIS_TIMEOUT_MS: '5000' };
    await prepareShop(root, env, options, say);
    const customers = Math.max(1000, options.asks * customersPerAsk);
    await fillRedis(redis, folders.DATA_DIR, { customers }, say);
    say(`starting ${options.processes} services …`);
    const urls: string[] = [];
    for (let p = 0; p < options.processes; p++) {
      const [child, url] = await startServer({ ...refusingNothing, ...env });
      children.push(child);
      urls.push(url);
    }
    for (const url of urls) await untilReady(url);
    const load = runLoad({
      urls,
      perSecond: options.load,
      path: pagePath,
      customers,
      returning: loadReturning,
    });
    say(`${options.asks} asks …`);
    let refused = 0;
    const { call, close: hangUp } = serviceCalls(urls, () => refused++);
    const warmUp = { ...options, asks: Math.ceil(warmUpShare * options.asks) };
    const { nextCustomer } = await askAll(warmUp, customers, call);
    refused = 0;
    const pids = {
      service: children.map(({ pid = 0 }) => pid),
      redis: [await redisPid(redis)],
      bench: [process.pid, load.pid],
    };
    const startedAt = performance.now();
    const before = await cpuOf(pids);
    const { seen, skipped, beside } = await askAll(options, customers, call, nextCustomer);
    const after = await cpuOf(pids);
    const seconds = (performance.now() - startedAt) / 1000;
    hangUp();
    const pages = await load.end();
    const all = FRESH_KINDS.flatMap((kind) => seen[kind]);
    return {
      ...figures(all),
      processes: options.processes,
      callers: options.callers,
      writers,
      kinds: Object.fromEntries(freshKindsOf(writers).map((kind) => [kind, figures(seen[kind])])),
      beside,
      skipped,
      refused,
      loadReturning,
      loadPerSecond: pages.requests / Math.max(1, pages.seconds),
      loadErrors: pages.errors,
      loadP50Ms: pages.p50Ms,
      loadP99Ms: pages.p99Ms,
      serviceCpu: (after.service - before.service) / seconds,
      redisCpu: (after.redis - before.redis) / seconds,
      benchCpu: (after.bench - before.bench) / seconds,
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await place.close();
  }
}

/** Throws where an answer did not know of what had been posted, or a page beside it had no answer with 200: both were promised. */
export function holdFresh({ share, loadErrors }: Pick<FreshnessLine, 'share' | 'loadErrors'>): void {
  if (share < 1) throw new Error('an answer did not know of what had been posted before it was asked for');
  if (loadErrors > 0)
    throw new Error(
      `${loadErrors} pages that were asked for beside it were not answered with 200: fewer with --load, where others use this machine's cores`,
    );
}

/**
 * Each caller takes the next customer, from `firstCustomer` on, and the kind that has been asked for least; a customer who
 * cannot be asked is passed over.
 */
export async function askAll(
  {
    asks,
    processes,
    callers,
    writers = 1,
    seed,
  }: Pick<FreshnessOptions, 'asks' | 'processes' | 'callers' | 'writers' | 'seed'>,
  customers: number,
  call: ServiceCall,
  firstCustomer = 0,
): Promise<{ seen: Record<FreshKind, Seen[]>; skipped: number; nextCustomer: number; beside: Beside }> {
  const seen: Record<FreshKind, Seen[]> = {
    purchase: [],
    view: [],
    complaint: [],
    dismissal: [],
    consent: [],
  };
  const kinds = freshKindsOf(writers);
  const beside: Beside = { events: 0, deferred: 0 };
  const rng = createRng(seed, 'freshness');
  let nextAsk = 0;
  let nextCustomer = firstCustomer;
  let skipped = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let ask = nextAsk++; ask < asks; ask = nextAsk++) {
        const kind = kinds[ask % kinds.length] ?? 'purchase';
        for (;;) {
          if (nextCustomer >= customers)
            throw new Error(`no offer is worth making to enough of ${customers} customers`);
          const customerId = copyId(nextCustomer++);
          const one = await amongWriters({ customerId, processes, others: writers - 1 }, call, beside, () =>
            ASK[kind](customerId, twoOf(processes, rng), call),
          );
          if (one === undefined) {
            skipped++;
            continue;
          }
          seen[kind].push(one);
          break;
        }
      }
    }),
  );
  return { seen, skipped, nextCustomer, beside };
}

/** Has others post views of the customer, to all processes, for as long as the work takes; counts them in `beside`. */
async function amongWriters<T>(
  { customerId, processes, others }: { customerId: string; processes: number; others: number },
  call: ServiceCall,
  beside: Beside,
  work: () => Promise<T>,
): Promise<T> {
  let isOver = false;
  const writing = Array.from({ length: others }, async (_, n) => {
    while (!isOver) {
      const view = { type: 'view', customerId, lines: [{ itemId: 'i00002' }] };
      const { deferred } = (await call(n % processes, 'POST', '/events', view)) as { deferred: number };
      beside.events++;
      beside.deferred += deferred;
    }
  });
  // What the others reject with is thrown at the end, however the work ends.
  const whole = Promise.all(writing);
  whole.catch(() => {});
  try {
    return await work();
  } finally {
    isOver = true;
    await whole;
  }
}

/** Where to post, and where to ask. */
function twoOf(processes: number, rng: Rng): [number, number] {
  const first = rng.nextInt(processes);
  return [first, processes === 1 ? 0 : (first + 1 + rng.nextInt(processes - 1)) % processes];
}

type Ask = (
  customerId: string,
  at: readonly [number, number],
  call: ServiceCall,
) => Promise<Seen | undefined>;

type Page = { items: { itemId: string }[]; degraded: boolean };
type Decided = {
  placements: { offers: { offerId: string }[]; fallback: boolean }[];
  decisionId: string;
  degraded: boolean;
};
type Profile = { eventCount: number; features: Record<string, number | null> };

const ASK: Readonly<Record<FreshKind, Ask>> = {
  /** What has just been bought is recommended no more. */
  purchase: async (customerId, [there, here], call) => {
    const path = `/recommendations?customerId=${customerId}&n=10`;
    // Twice: the second answer is the kept one, and so would a third be.
    await call(here, 'GET', path);
    const { items } = (await call(here, 'GET', path)) as Page;
    const itemId = items[0]?.itemId;
    if (itemId === undefined) return undefined;
    const lines = [{ itemId, quantity: 1, unitPriceMinor: 1000 }];
    return watch(
      () => call(there, 'POST', '/events', { type: 'purchase', customerId, lines }),
      async () => {
        const page = (await call(here, 'GET', path)) as Page;
        return !page.degraded && page.items.every((item) => item.itemId !== itemId);
      },
    );
  },
  /** The profile counts it. */
  view: async (customerId, [there, here], call) => {
    const path = `/customers/${customerId}/profile`;
    const { eventCount } = (await call(here, 'GET', path)) as Profile;
    const lines = [{ itemId: 'i00001' }];
    return watch(
      () => call(there, 'POST', '/events', { type: 'view', customerId, lines }),
      async () => ((await call(here, 'GET', path)) as Profile).eventCount > eventCount,
    );
  },
  /** The profile has it open. */
  complaint: async (customerId, [there, here], call) => {
    const path = `/customers/${customerId}/profile`;
    const open = async () => ((await call(here, 'GET', path)) as Profile).features.openComplaints ?? 0;
    const before = await open();
    return watch(
      () => call(there, 'POST', '/events', { type: 'contact', customerId, complaint: 'opened' }),
      async () => (await open()) > before,
    );
  },
  /** What was refused is not offered again, though the decision would have stood. */
  dismissal: async (customerId, [there, here], call) => {
    const path = `/customers/${customerId}/offers?channel=web&placement=top&campaign=bench`;
    await call(here, 'GET', path);
    const { placements, decisionId } = (await call(here, 'GET', path)) as Decided;
    const [place] = placements;
    const offerId = place?.fallback ? undefined : place?.offers[0]?.offerId;
    if (offerId === undefined) return undefined;
    return watch(
      () => call(there, 'POST', `/decisions/${decisionId}/outcomes`, { offerId, outcome: 'dismissed' }),
      async () => {
        const next = (await call(here, 'GET', path)) as Decided;
        return (
          !next.degraded &&
          next.placements.every(({ offers }) => offers.every((offer) => offer.offerId !== offerId))
        );
      },
    );
  },
  /** Who has withdrawn the consent to e-mail is made no offer there. */
  consent: async (customerId, [there, here], call) => {
    const path = `/customers/${customerId}/offers?channel=email&placement=top&campaign=bench`;
    const put = (at: number, email: boolean) =>
      call(at, 'PUT', `/customers/${customerId}`, { consent: { email } });
    await put(here, true);
    await call(here, 'GET', path);
    const { placements } = (await call(here, 'GET', path)) as Decided;
    if (placements.every(isNothing)) return undefined;
    return watch(
      () => put(there, false),
      async () => {
        const next = (await call(here, 'GET', path)) as Decided;
        return !next.degraded && next.placements.every(isNothing);
      },
    );
  },
};

/** A fallback stands in for an offer, and is none. */
function isNothing({ offers, fallback }: Decided['placements'][number]): boolean {
  return offers.length === 0 || fallback;
}

/** Posts, asks, and (where the next answer does not know of it) asks on until one does. */
async function watch(post: () => Promise<unknown>, isReflected: () => Promise<boolean>): Promise<Seen> {
  const startedAt = performance.now();
  await post();
  const reflected = await isReflected();
  let known = reflected;
  while (!known && performance.now() - startedAt < patienceMs) {
    await sleep(pollMs);
    known = await isReflected();
  }
  return { reflected, ms: performance.now() - startedAt };
}

async function untilReady(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/readyz`);
    const { catalogueItems } = (await answer.json()) as { catalogueItems?: number };
    if (answer.ok && (catalogueItems ?? 0) > 0) return;
    await sleep(100);
  }
}

const pagePath = '/recommendations?customerId={id}&n=10&explain=true';

/** Pages for everybody, from a process of its own: one that came and went would take a core each time that it starts. */
function runLoad(load: PageLoad) {
  const entry = builtEntry('./page-load.js', import.meta.url);
  const child = bound(
    spawn(process.execPath, [entry, JSON.stringify(load)], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const told = textOf(child.stdout);
  return {
    pid: child.pid ?? 0,
    end: async (): Promise<PageLoadResult> => {
      child.stdin.end();
      const text = await told;
      if (text === '') throw new Error('the load tool did not run; its message is above');
      return JSON.parse(text) as PageLoadResult;
    },
  };
}

type CpuSeconds = { service: number; redis: number; bench: number };

async function cpuOf({ service, redis, bench }: Record<keyof CpuSeconds, number[]>): Promise<CpuSeconds> {
  const sum = async (pids: readonly number[]) => {
    const seconds = await Promise.all(pids.map((pid) => cpuSecondsOf(pid).catch(() => Number.NaN)));
    return seconds.reduce((all, one) => all + one, 0);
  };
  return { service: await sum(service), redis: await sum(redis), bench: await sum(bench) };
}

/** Redis in WebAssembly tells none that there is here. */
async function redisPid(redis: Redis): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1] ?? 0);
}

function figures(seen: readonly Seen[]): FreshFigures {
  const times = seen.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN;
  return {
    asks: seen.length,
    share: seen.length === 0 ? 0 : seen.filter(({ reflected }) => reflected).length / seen.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}
