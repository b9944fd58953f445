/** What a check of a model's drift found: kept in Redis until the next, for the metrics of whichever worker is asked. */
import { z } from 'zod';
import { ModelVersion } from '../../domain/manifest.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';

export const DriftReport = z.object({
  version: ModelVersion,
  checkedAt: z.iso.datetime(),
  /** Customers whose features were compared. */
  customers: z.int().min(0),
  features: z.array(
    z.object({ feature: z.string(), index: z.number(), byChance: z.number(), usual: z.number() }),
  ),
  /** Of the last instant whose horizon is complete. */
  calibration: z.object({
    customers: z.int().min(0),
    /** Mean of the risks, and the share that was lost. */
    expected: z.number(),
    observed: z.number(),
    /** Expected calibration error, ten bins. */
    error: z.number(),
    /** Spiegelhalter's, standard normal where every risk is right. */
    z: z.number(),
  }),
  /** In words, what is past its bound. */
  past: z.array(z.string()),
});
export type DriftReport = z.output<typeof DriftReport>;

export async function keepDriftReport(redis: Redis, keys: Keys, report: DriftReport): Promise<void> {
  await redis.set(keys.churnDrift, JSON.stringify(report));
}

/** undefined: nothing has been checked yet, or by a version that wrote otherwise. */
export async function readDriftReport(redis: Redis, keys: Keys): Promise<DriftReport | undefined> {
  const text = await redis.get(keys.churnDrift);
  if (text === null) return undefined;
  return DriftReport.safeParse(JSON.parse(text)).data;
}
