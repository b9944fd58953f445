/**
 * A campaign's list, from the request to the file. Every step that is done stays done: a batch that was cancelled, or whose
 * worker was killed, goes on where it stopped, and what is made again comes out the same, under the same ids.
 */

import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { createBudgetLedger } from '../../decide/ledger/offer-budget.ts';
import { loadDecisionPolicy } from '../../decide/policy.ts';
import type { BatchCounts } from '../../domain/batch.ts';
import type { CustomerId } from '../../domain/ids.ts';
import { DISCOUNTS, type Offer } from '../../domain/offer.ts';
import { type Lake, pathPattern, queryChunks, sqlText } from '../../history/lake.ts';
import { type DecisionsPart, openDecisionsPart } from '../../history/write-entries.ts';
import { type BatchFolder, batchFolder } from '../../infra/batch-files.ts';
import { createCatalogueStore } from '../../infra/catalogue-store.ts';
import type { Config } from '../../infra/config.ts';
import { isThere, writeAtomically } from '../../infra/files.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Redis } from '../../infra/redis.ts';
import { budgetLimits, budgetPeriod, pacedLimits, validityOf } from '../../offers/budget-period.ts';
import { economicsOf } from '../../offers/cost.ts';
import { reservedCostMinor } from '../../offers/reserved-cost.ts';
import { type BatchPool, openBatchPool } from './batch-pool.ts';
import { candidateWidth, customerBytes, openShares, readBlocks, sharesOf } from './candidates-file.ts';
import { inOrder } from './in-order.ts';
import { addListed, type Listed, noListed } from './result-rows.ts';
import { budgetPrices, isShort, type Supply, shareOut } from './share-budgets.ts';
import { whyNoOffer } from './why-no-offer.ts';
import { whyNobody } from './why-nobody.ts';

export type BatchContext = {
  config: Config;
  redisUrl: string;
  lake: Lake;
  redis: Redis;
  keys: Keys;
  log: Logger;
  now: () => number;
  report: (share: number, stage: string) => Promise<void>;
  threads: number;
};

/**
 * A part of the list and of the lake. Two are in memory at most, as objects, as rows of DuckDB and packed: that is some 60 kB a
 * customer, so that larger ones would be most of what a batch takes.
 */
export const partCustomers = 4000;
/** A thread is given so many at once; a part is a whole number of them. */
const chunkCustomers = 200;
/** Of the whole, what finding out the shares takes. */
const valuingShare = 0.45;

const Shares = z.object({
  /** The offers that shares are about, by position. */
  offerIds: z.array(z.string()),
  /** Those of them whose budget does not suffice for all: a customer may have them as her share alone. */
  shortIds: z.array(z.string()),
});
type Shares = z.output<typeof Shares>;
const sharesName = 'shared.json';

/** What the batch comes to; `cancelled`: it has stopped at the wish of whoever cancelled it. */
type BatchOutcome = { cancelled: boolean; counts: BatchCounts };

/** `exploredMinor`: what exploring has cost in expectation, minor units. */
export type BatchResult = BatchOutcome & { exploredMinor: number };

export async function runBatch(batchId: string, context: BatchContext): Promise<BatchResult> {
  let exploredMinor = 0;
  const onExplored = (costMinor: number) => {
    exploredMinor += costMinor;
  };
  for (;;) {
    const outcome = await runUntilCancelled(batchId, context, onExplored);
    // Somebody may have had it go on while it was coming to its end.
    const isWanted = outcome.cancelled && !(await batchFolder(context.config.dataDir, batchId).isCancelled());
    if (!isWanted) return { ...outcome, exploredMinor };
  }
}

async function runUntilCancelled(
  batchId: string,
  context: BatchContext,
  onExplored: (costMinor: number) => void,
): Promise<BatchOutcome> {
  const { config, redisUrl, now, log, report, threads } = context;
  const folder = batchFolder(config.dataDir, batchId);
  const stored = await folder.request();
  if (stored === undefined)
    throw new Error(`the request of ${batchId} is gone: results are kept for seven days`);
  const { about, createdAt } = stored;
  await report(0, 'listing the customers');
  const opening = openBatchPool(threads, {
    redisUrl,
    config: {
      keyPrefix: config.keyPrefix,
      logLevel: config.logLevel,
      dataDir: config.dataDir,
      modelsDir: config.modelsDir,
      currency: config.currency,
      streamMaxLength: config.streamMaxLength,
      decisionPolicyFile: config.decisionPolicyFile,
    },
    batch: { batchId, about, createdAt, breaks: await folder.breaks() },
  });
  // Handled after the customers are listed, which takes as long as the threads take to start.
  opening.catch(() => {});
  let customers: number;
  try {
    customers = await listCustomers(folder, about.listed, context);
  } catch (err) {
    await opening.then((pool) => pool.close()).catch(() => {});
    throw err;
  }
  const pool = await opening;
  try {
    const startedAt = now();
    const shares = await findShares(folder, customers, about.limit, pool, context);
    if (shares === 'cancelled') return { cancelled: true, counts: (await folder.counts()).counts };
    const from = shares === undefined ? 0 : valuingShare;
    const size = { customers, startedAt, limit: about.limit };
    const done = await decideParts(folder, batchId, size, shares, pool, context, (share) =>
      report(from + (1 - from) * share, 'deciding'),
    );
    const { counts } = await folder.counts();
    if (!done) return { cancelled: true, counts };
    const warning =
      counts.decided === 0
        ? await whyNobody(about, customers, context.lake)
        : whyNoOffer(counts, about.channel);
    if (warning !== undefined) await folder.warn([warning]);
    await folder.finish(now());
    await report(1, 'done');
    log.info(
      { event: 'batch.completed', batchId, customers, decided: counts.decided, offers: counts.offers },
      'a batch of offers is complete',
    );
    return { cancelled: false, counts };
  } finally {
    onExplored((await pool.close()).exploredMinor);
  }
}

/** Writes the ids, each once and in order, where they are not there yet; answers how many there are. */
async function listCustomers(
  { customers: path, ids, putCustomers }: BatchFolder,
  listed: boolean,
  { lake }: BatchContext,
): Promise<number> {
  if (!(await isThere(path)))
    await writeAtomically(path, async (temporary) => {
      const source = listed
        ? // A line is one id as JSON, whatever is in it.
          `SELECT json_extract_string(line, '$') AS id FROM read_csv(${sqlText(pathPattern(ids))}, columns = {line: 'VARCHAR'},
             header = false, delim = '\x01', quote = '', escape = '')`
        : `SELECT "customerId" AS id FROM ${lake.from('events')} WHERE "customerId" IS NOT NULL`;
      await lake.connection.run(
        `COPY (SELECT DISTINCT id FROM (${source}) ORDER BY id) TO ${sqlText(temporary)} (FORMAT parquet)`,
      );
    });
  const counted = await lake.connection.runAndReadAll(
    `SELECT count(*)::DOUBLE FROM read_parquet(${sqlText(pathPattern(path))})`,
  );
  const customers = Number(counted.value(0, 0));
  await putCustomers(customers);
  return customers;
}

/** `count` ids from the one at `first`, in chunks. */
async function* customerChunks(
  { customers: path }: BatchFolder,
  lake: Lake,
  first: number,
  count: number,
): AsyncGenerator<{ at: number; customerIds: CustomerId[] }> {
  const connection = await lake.connect();
  try {
    const query = `SELECT id FROM read_parquet(${sqlText(pathPattern(path))}, file_row_number = true)
      WHERE file_row_number >= ${first} AND file_row_number < ${first + count} ORDER BY file_row_number`;
    let at = first;
    let batch: CustomerId[] = [];
    for await (const chunk of queryChunks(connection, query)) {
      const ids = chunk.getColumnVector(0);
      for (let r = 0; r < chunk.rowCount; r++) {
        batch.push(String(ids.getItem(r)) as CustomerId);
        if (batch.length < chunkCustomers) continue;
        yield { at, customerIds: batch };
        at += batch.length;
        batch = [];
      }
    }
    if (batch.length > 0) yield { at, customerIds: batch };
  } finally {
    connection.closeSync();
  }
}

/** Which budgets have been shared out, into the file; undefined: every one suffices for whoever may come. */
async function findShares(
  folder: BatchFolder,
  customers: number,
  limit: number,
  pool: BatchPool,
  context: BatchContext,
): Promise<Shares | undefined | 'cancelled'> {
  const known = await folder.readJson(sharesName, Shares);
  if (known !== undefined) return known.shortIds.length > 0 ? known : undefined;
  const { redis, keys, lake, report, config } = context;
  const offers = (await createCatalogueStore(redis, keys).listOffers()).filter(({ fallback }) => !fallback);
  const supplies = await suppliesOf(offers, context);
  const offerIds = offers.map(({ offerId }) => offerId as string);
  // Whoever is left out of a budget, there may be enough for all.
  const isScarce = ({ amountMinor, count, costMinor }: Supply) =>
    count < customers || (costMinor > 0 && amountMinor / costMinor < customers);
  if (!supplies.some(isScarce)) {
    await folder.put(sharesName, JSON.stringify({ offerIds, shortIds: [] } satisfies Shares));
    return undefined;
  }
  const width = candidateWidth(limit);
  const written = await writeCandidates(folder, customers, offerIds, width, pool, lake, report);
  if (!written) return 'cancelled';
  await report(valuingShare, 'sharing out the budgets');
  const { oneDiscountAtATime } = loadDecisionPolicy(config.decisionPolicyFile).policy.contact;
  const exclusive = offers.map(({ benefit }) => oneDiscountAtATime && DISCOUNTS.has(benefit.kind));
  const blocks = () => readBlocks(folder.candidates, width);
  const prices = await budgetPrices(blocks, supplies, { limit, exclusive });
  const shares: Shares = { offerIds, shortIds: offerIds.filter((_, offer) => isShort(prices, offer)) };
  if (shares.shortIds.length > 0)
    await pipeline(
      Readable.from(shareOut(blocks, prices, supplies, { limit, exclusive }), { objectMode: true }),
      async function* (some: AsyncIterable<Uint16Array>) {
        for await (const { buffer, byteOffset, byteLength } of some)
          yield Buffer.from(buffer, byteOffset, byteLength);
      },
      createWriteStream(folder.shares, { mode: 0o600 }),
    );
  await folder.put(sharesName, JSON.stringify(shares));
  return shares.shortIds.length > 0 ? shares : undefined;
}

/** What may be had of each offer's budget now: what is left in its present period, as far as its pace allows. */
async function suppliesOf(
  offers: readonly Offer[],
  { redis, keys, config, now }: BatchContext,
): Promise<Supply[]> {
  const budgets = createBudgetLedger(redis, keys);
  const { policy } = loadDecisionPolicy(config.decisionPolicyFile);
  const economics = economicsOf(policy, config.currency);
  return Promise.all(
    offers.map(async (offer): Promise<Supply> => {
      const costMinor = reservedCostMinor(offer.benefit, economics);
      if (offer.budget === undefined)
        return { amountMinor: Number.POSITIVE_INFINITY, count: Number.POSITIVE_INFINITY, costMinor };
      const at = now();
      const limits = budgetLimits(offer.budget);
      const paced = pacedLimits(offer.budget, budgetPeriod(offer.budget, validityOf(offer), at), at);
      const state = await budgets.state(offer, at);
      return {
        amountMinor:
          Math.min(limits.amountMinor, paced.amountMinor) - state.reservedMinor - state.confirmedMinor,
        count: Math.min(limits.count, paced.count) - state.reservedCount - state.confirmedCount,
        costMinor,
      };
    }),
  );
}

/** false: cancelled. The file is made anew after a crash: it is read as a whole. */
async function writeCandidates(
  folder: BatchFolder,
  customers: number,
  offerIds: string[],
  width: number,
  pool: BatchPool,
  lake: Lake,
  report: BatchContext['report'],
): Promise<boolean> {
  let cancelled = false;
  async function* encoded(): AsyncGenerator<Uint8Array> {
    let seen = 0;
    const chunks = customerChunks(folder, lake, 0, customers);
    for await (const wanted of inOrder(chunks, 2 * pool.threads, (chunk) =>
      pool.value(chunk.customerIds, offerIds, width),
    )) {
      yield wanted;
      seen += wanted.length / customerBytes(width);
      await report((valuingShare * seen) / customers, 'valuing');
      cancelled = await folder.isCancelled();
      if (cancelled) return;
    }
  }
  await pipeline(Readable.from(encoded()), createWriteStream(folder.candidates, { mode: 0o600 }));
  return !cancelled;
}

/**
 * false: cancelled; what has been decided by then is in the lake all the same, since it stands and may be asked for. While a part
 * is being written, the threads go on with the next; no more than one waits to be written, so that two are held at most.
 * `startedAt`: when valuing began, which the first part has taken as well. Each other takes from the end of the one before, since the threads
 * decide on its first while the last of that are under way: together they take as long as the list does.
 */
async function decideParts(
  folder: BatchFolder,
  batchId: string,
  { customers, startedAt, limit }: { customers: number; startedAt: number; limit: number },
  shares: Shares | undefined,
  pool: BatchPool,
  { lake, now }: BatchContext,
  report: (share: number) => Promise<void>,
): Promise<boolean> {
  const file = shares === undefined ? undefined : await openShares(folder.shares);
  let writing = Promise.resolve();
  let part: OpenPart | undefined;
  let isCancelled = false;
  let doneUntil = 0;
  let partSince = startedAt;
  async function* wanted() {
    for await (const chunk of openChunks(folder, lake, customers)) {
      if (isCancelled) return;
      yield chunk;
    }
  }
  const write = async (number: number, { decisions, lines, counts }: OpenPart, seconds: number) => {
    await decisions.write(`${batchId}-${number}`);
    await folder.putPart(number, lines, { counts, seconds });
  };
  try {
    const decided = inOrder(wanted(), 2 * pool.threads, async ({ at, customerIds }) => {
      const own = file && (await sharesOf(file, at, customerIds.length, limit));
      const theirs = own && shares && { ...shares, limit, own };
      const rows = await pool.decide(customerIds, at, theirs, customers - at);
      return { rows, until: at + customerIds.length };
    });
    for await (const { rows, until } of decided) {
      part ??= { decisions: await openDecisionsPart(lake), ...noListed() };
      part.decisions.add(rows.decisions, rows.frames);
      addListed(part, rows);
      doneUntil = until;
      await report(until / customers);
      if (until % partCustomers === 0 || until === customers) {
        await writing;
        const doneAt = now();
        writing = write(Math.ceil(until / partCustomers) - 1, part, (doneAt - partSince) / 1000);
        partSince = doneAt;
        // Handled before the next is written, and at the end.
        writing.catch(() => {});
        part = undefined;
      }
      // Then those that are under way come to their end.
      isCancelled ||= await folder.isCancelled();
    }
    await writing;
    if (part !== undefined) {
      const { decisions } = part;
      part = undefined;
      // Its customers are listed when it goes on: by what stands, or anew and under other ids. By how far it came: an attempt that was
      // killed before the break was counted may have come further.
      await decisions.write(`${batchId}-break-${await folder.breaks()}-${doneUntil}`);
      await folder.countBreak();
    }
    return !isCancelled || doneUntil === customers;
  } finally {
    part?.decisions.discard();
    await writing.catch(() => {});
    await file?.close();
  }
}

/** What has come of a part by now. */
type OpenPart = Listed & { decisions: DecisionsPart };

/** Of the parts that are not there yet. */
async function* openChunks(folder: BatchFolder, lake: Lake, customers: number) {
  for (let part = 0; part * partCustomers < customers; part++)
    if (!(await folder.hasPart(part)))
      yield* customerChunks(folder, lake, part * partCustomers, partCustomers);
}
