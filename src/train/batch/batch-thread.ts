/** A thread of a batch, with a connection to Redis and models of its own; answers each request by its number. */
import { parentPort, workerData } from 'node:worker_threads';
import { createContactLedger } from '../../decide/ledger/contact-ledger.ts';
import { createBudgetLedger } from '../../decide/ledger/offer-budget.ts';
import { createMarketHolder } from '../../decide/market.ts';
import { loadDecisionPolicy } from '../../decide/policy.ts';
import { createPolicyWatch } from '../../decide/policy-watch.ts';
import { loadTrialModels, withTrialModels } from '../../decide/trial-models.ts';
import '../../domain/fault-sentences.ts';
import type { CustomerId } from '../../domain/ids.ts';
import type { Item } from '../../domain/item.ts';
import type { Offer } from '../../domain/offer.ts';
import { createRecordStore } from '../../features/record-store.ts';
import { createCatalogueStore } from '../../infra/catalogue-store.ts';
import type { Config } from '../../infra/config.ts';
import { openErasureFiles } from '../../infra/erasure-files.ts';
import { createKeys } from '../../infra/keys.ts';
import { createLogger } from '../../infra/logger.ts';
import { keepPolicy } from '../../infra/policy-files.ts';
import { connectRedis } from '../../infra/redis.ts';
import { slices } from '../../infra/redis-together.ts';
import { createTombstones } from '../../infra/tombstones.ts';
import type { BatchDecidingDeps, BatchOf } from './batch-customers.ts';
import { createBatchDeciding, type Shares } from './batch-deciding.ts';
import { readDecidingModels } from './batch-models.ts';
import { encodeWanted, type Wanted } from './candidates-file.ts';
import { inOrder } from './in-order.ts';
import { addRows, type DecidedRows, noRows, rowsOf } from './result-rows.ts';

export type BatchThreadData = {
  redisUrl: string;
  config: Pick<
    Config,
    'keyPrefix' | 'logLevel' | 'dataDir' | 'modelsDir' | 'currency' | 'streamMaxLength' | 'decisionPolicyFile'
  >;
  batch: BatchOf;
};

export type BatchThreadRequest =
  | { request: number; kind: 'value'; customerIds: CustomerId[]; offerIds: string[]; width: number }
  /** `customersLeft`: of the whole list, these among them. */
  | {
      request: number;
      kind: 'decide';
      customerIds: CustomerId[];
      at: number;
      shares: Shares | undefined;
      customersLeft: number;
    }
  /** Nothing is asked after this. */
  | { request: number; kind: 'end' };
export type BatchThreadReply =
  | { ready: true }
  | { request: number; wanted: Uint8Array }
  | { request: number; rows: DecidedRows }
  /** What exploring has cost in expectation, minor units. */
  | { request: number; exploredMinor: number }
  | { request: number; error: unknown };

const { redisUrl, config, batch } = workerData as BatchThreadData;
const log = createLogger(config.logLevel, 'batch');
const keys = createKeys(config.keyPrefix);
const redis = connectRedis(redisUrl, 'batch', { kind: 'patient' }, log);
const policy = loadDecisionPolicy(config.decisionPolicyFile);
const now = Date.now;
await keepPolicy(config.dataDir, policy, now());
await createPolicyWatch(policy.version, {
  redis,
  keys,
  now,
  onOther: (other) =>
    log.warn(
      { event: 'policy.differs', own: policy.version, other },
      'a list is decided by another decision policy than another process decides by',
    ),
}).beat();
const models = withTrialModels(
  await readDecidingModels(config.modelsDir, log),
  await loadTrialModels(config.modelsDir, policy.policy, config.decisionPolicyFile, now()),
);
const catalogueStore = createCatalogueStore(redis, keys);
const items = new Map<string, Item>();
const offers = new Map<string, Offer>();
for await (const loaded of catalogueStore.loadAll()) {
  for (const item of loaded.items) items.set(item.itemId, item);
  for (const offer of loaded.offers) offers.set(offer.offerId, offer);
}
// As it is when the campaign begins: a list is of one piece.
const catalogue = { loaded: true, items, offers, revision: 1 };
const budgets = createBudgetLedger(redis, keys);
let exploredMinor = 0;
const market = createMarketHolder({
  redis,
  keys,
  catalogue,
  models,
  policy,
  currency: config.currency,
  onExplored: (costMinor) => {
    exploredMinor += costMinor;
  },
  now,
});
const deps: BatchDecidingDeps = {
  redis,
  keys,
  config,
  records: createRecordStore(redis, keys, { bringBack: true }),
  contacts: createContactLedger(redis, keys),
  budgets,
  catalogue,
  catalogueStore,
  models,
  market,
  tombstones: createTombstones(redis, keys, await openErasureFiles(config.dataDir)),
  now,
  random: Math.random,
};
const deciding = createBatchDeciding(batch, deps);

/**
 * Customers that are decided on together: enough for a round trip to Redis to be small beside the work, and few enough for the garbage
 * collector, which copies over and over what waits for an answer.
 */
const togetherCustomers = 50;
/** While one of them waits for Redis, the other is at work. */
const togethersAtOnce = 2;

async function answer(asked: BatchThreadRequest): Promise<BatchThreadReply> {
  const { request } = asked;
  if (asked.kind === 'end') {
    await market.endExploring();
    return { request, exploredMinor };
  }
  const { customerIds } = asked;
  if (asked.kind === 'value') {
    const lists: Wanted[][] = [];
    const valued = inOrder(slices(customerIds, togetherCustomers), togethersAtOnce, (some) =>
      deciding.value(some, asked.offerIds, asked.width),
    );
    for await (const some of valued) lists.push(...some);
    return { request, wanted: encodeWanted(lists, asked.width) };
  }
  const { at, shares, customersLeft } = asked;
  const rows = noRows();
  const starts = customerIds.flatMap((_, n) => (n % togetherCustomers === 0 ? [n] : []));
  const decided = inOrder(starts, togethersAtOnce, (from) => {
    const to = from + togetherCustomers;
    const own = shares && { ...shares, own: shares.own.subarray(from * shares.limit, to * shares.limit) };
    return deciding.decide(customerIds.slice(from, to), String(at + from), own, customersLeft - from);
  });
  for await (const some of decided) addRows(rows, rowsOf(some, batch.about));
  return { request, rows };
}

parentPort?.on('message', (asked: BatchThreadRequest) => {
  answer(asked).then(
    (reply) => parentPort?.postMessage(reply),
    (error) => parentPort?.postMessage({ request: asked.request, error } satisfies BatchThreadReply),
  );
});
parentPort?.postMessage({ ready: true } satisfies BatchThreadReply);
