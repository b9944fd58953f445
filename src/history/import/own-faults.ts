/** What is wrong with the lines of the service's own log that were refused, by the schemas of the API: the field, never its value. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { z } from 'zod';
import { Decision } from '../../domain/decision.ts';
import { EventInput } from '../../domain/event.ts';
import { Item } from '../../domain/item.ts';
import { Offer } from '../../domain/offer.ts';
import { queryChunks } from '../lake.ts';

/** Lines whose faults are told: who has more of them has the same ones again. */
const faultyLinesMax = 1000;
/** Of one line. */
const faultsTold = 3;

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  event: EventInput,
  item: Item,
  offer: Offer,
  decision: Decision,
};

/** Makes `ownFaults` (`file, line, fault`) of the first refused lines among `verdicts`, a query of `file, line, reason`, of `ownRows`. */
export async function nameOwnFaults(connection: DuckDBConnection, verdicts: string): Promise<void> {
  await connection.run('CREATE OR REPLACE TABLE ownFaults (file INTEGER, line BIGINT, fault VARCHAR)');
  const query = `SELECT r.file::DOUBLE, r.line::DOUBLE, r.kind, r.json::VARCHAR FROM (${verdicts}) v
    JOIN ownRows r ON r.file = v.file AND r.line = v.line
    WHERE v.reason IN ('invalid', 'noCustomer') OR starts_with(v.reason, 'bad') ORDER BY r.pos LIMIT ${faultyLinesMax}`;
  const rows: [number, number, string | null, string][] = [];
  for await (const chunk of queryChunks(connection, query)) rows.push(...(chunk.getRows() as typeof rows));
  const appender = await connection.createAppender('ownFaults');
  for (const [file, line, kind, json] of rows) {
    const fault = faultOf(kind, json);
    if (fault === undefined) continue;
    appender.appendInteger(file);
    appender.appendBigInt(BigInt(line));
    appender.appendVarchar(fault);
    appender.endRow();
  }
  appender.closeSync();
}

/** undefined: by itself it is right. */
function faultOf(kind: string | null, json: string): string | undefined {
  const schema = kind === null ? undefined : SCHEMAS[kind];
  if (schema === undefined)
    return 'is no event (type), item (itemId), offer (offerId, benefit) or decision (decisionId, placements)';
  const { error } = schema.safeParse(withoutNull(JSON.parse(json)));
  if (error === undefined) return undefined;
  const faults = error.issues.map(
    ({ path, message }) => `${path.length === 0 ? kind : path.join('.')} ${message}`,
  );
  const more = faults.length - faultsTold;
  return faults.slice(0, faultsTold).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** Null counts as absent in what is imported. */
function withoutNull(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return Array.isArray(value) ? value.map(withoutNull) : value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([name, field]) => [name, withoutNull(field)]),
  );
}
