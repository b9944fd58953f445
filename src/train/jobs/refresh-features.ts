import { UnrecoverableError } from 'bullmq';
import { keepVersions } from '../../decide/offer-versions.ts';
import { createRecordStore } from '../../features/record-store.ts';
import { bestSellers } from '../../history/best-sellers.ts';
import { savedOffers } from '../../history/catalogue.ts';
import { refreshAllRecords } from '../../history/rebuild-records.ts';
import { writeBestSellers } from '../../infra/best-sellers.ts';
import { createCatalogueStore } from '../../infra/catalogue-store.ts';
import { openErasureFiles } from '../../infra/erasure-files.ts';
import { createTombstones } from '../../infra/tombstones.ts';
import { defaultSettings } from '../collaborative/settings.ts';
import { tellOfEvents } from '../webhooks/outbox.ts';
import type { JobHandler } from './job.ts';

/** So many that a category of a shop without a model has some of its own among them. */
const bestSellersMax = 5000;

/** Makes every customer's record, the catalogue, the offers and the best sellers in Redis anew from the lake. */
export const refreshFeaturesJob: JobHandler = async (
  payload,
  { config, redis, keys, lake, log, now, report },
) => {
  // Records are what the next request reads: there is no use for those of an earlier day.
  if (payload.cutoff !== undefined) throw new UnrecoverableError('refresh-features takes no cutoff');
  const tombstones = createTombstones(redis, keys, await openErasureFiles(config.dataDir));
  await tombstones.restore();
  const { drained, customers, postponed, gone, restored } = await refreshAllRecords(
    {
      redis,
      keys,
      lake,
      recordStore: createRecordStore(redis, keys),
      catalogueStore: createCatalogueStore(redis, keys),
      now,
      log,
      tombstones,
      recordMs: config.recordMs,
      // It drains too, and what it drains is told of as well.
      onEvents: config.webhooks && tellOfEvents({ redis, keys }, config.webhooks),
    },
    report,
  );
  for await (const saved of savedOffers(lake))
    for (const { offer, at } of saved) await keepVersions([offer], at, { redis, keys });
  const sold = await bestSellers(lake, {
    before: now(),
    halfLifeDays: defaultSettings.popularity.halfLifeDays,
    max: bestSellersMax,
  });
  await writeBestSellers(redis, keys, sold);
  const metrics = { drained, customers, postponed, gone, restored };
  log.info({ event: 'records.refreshed', ...metrics }, 'records are up to date');
  return { job: 'refresh-features', metrics };
};
