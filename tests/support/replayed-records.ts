/** The record of everybody in a lake, as a replay makes it. */
import type { CustomerId } from '../../src/domain/ids.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../src/features/record.ts';
import type { Lake } from '../../src/history/lake.ts';
import { replayCustomers } from '../../src/history/replay.ts';

export async function replayedRecords(lake: Lake): Promise<Map<CustomerId, CustomerRecord>> {
  const records = new Map<CustomerId, CustomerRecord>();
  await replayCustomers(lake, {}, (customerId, events) => {
    const record = emptyRecord();
    for (const event of events) applyEvent(record, event);
    records.set(customerId, record);
  });
  return records;
}
