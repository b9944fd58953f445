/** Records of a simulated shop's customers, copied under new ids until there are as many as wanted. */

import { RECORD_SCHEMA } from '../../features/registry.ts';
import { type Lake, queryChunks } from '../../history/lake.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';

const written = 1000;

export const copyId = (n: number) => `copy-${String(n).padStart(8, '0')}`;

/** Copies the records of everybody whom the lake knows; answers the mean size of a record. */
export async function copyRecords(lake: Lake, redis: Redis, keys: Keys, customers: number): Promise<number> {
  const records = await recordsOf(lake, redis, keys);
  let bytes = 0;
  for (let n = 0; n < customers; n += written) {
    const batch = redis.pipeline();
    for (let copy = n; copy < Math.min(customers, n + written); copy++) {
      const record = records[copy % records.length];
      if (record === undefined) throw new Error('the simulated shop has no records');
      bytes += record.length;
      batch.set(keys.record(RECORD_SCHEMA, copyId(copy)), record);
    }
    await batch.exec();
  }
  return bytes / customers;
}

async function recordsOf(lake: Lake, redis: Redis, keys: Keys): Promise<Buffer[]> {
  const records: Buffer[] = [];
  const query = `SELECT DISTINCT "customerId" FROM ${lake.from('events')} WHERE "customerId" IS NOT NULL ORDER BY 1`;
  for await (const chunk of queryChunks(lake.connection, query)) {
    const ids = chunk.getColumnVector(0);
    for (let r = 0; r < chunk.rowCount; r++) {
      const record = await redis.getBuffer(keys.record(RECORD_SCHEMA, String(ids.getItem(r))));
      if (record !== null) records.push(record);
    }
  }
  return records;
}
