/** Decisions on offers out of the service's own log, held to the domain's schema one by one: DuckDB cannot know its unions. */
import { type DuckDBConnection, DuckDBTimestampValue } from '@duckdb/node-api';
import { z } from 'zod';
import { Decision } from '../../domain/decision.ts';
import { dayMs } from '../../domain/time.ts';
import { LAKE_TABLES, type Lake, queryChunks } from '../lake.ts';
import { ownSubject, refuseErased } from './refuse-erased.ts';

/** One that was logged: it has an id, and is about somebody. */
const LoggedDecision = Decision.extend({ decisionId: z.string().min(1).max(64) }).refine(
  ({ customerId, sessionId }) => customerId !== undefined || sessionId !== undefined,
);

/** Makes `newDecisions` of the decisions among `ownRows`, and `decisionReasons` (`pos, reason`) of those that are not taken. */
export async function takeOwnDecisions(
  lake: Lake,
  { now, dataDir }: { now: number; dataDir: string },
): Promise<void> {
  const { connection } = lake;
  const columns = LAKE_TABLES.decisions.map(([name, type]) => `"${name}" ${type}`).join(', ');
  await connection.run(`CREATE OR REPLACE TABLE readDecisions (pos BIGINT, reason VARCHAR, ${columns})`);
  await readDecisions(connection, now);
  await refuseErased(lake, dataDir, 'readDecisions', { subject: ownSubject, time: '"decidedAt"' });
  await connection.run(`CREATE OR REPLACE TABLE decisionReasons AS
    SELECT pos, CASE WHEN r.reason IS NOT NULL THEN r.reason
        WHEN pos > min(pos) FILTER (WHERE r.reason IS NULL) OVER (PARTITION BY decisionId) THEN 'duplicateRow'
        WHEN decisionId IN (SELECT decisionId FROM ${lake.from('decisions')}) THEN 'alreadyImported' END AS reason
    FROM readDecisions r`);
  await connection.run(`CREATE OR REPLACE TABLE newDecisions AS
    SELECT * EXCLUDE (reason) FROM readDecisions WHERE pos IN (SELECT pos FROM decisionReasons WHERE reason IS NULL)`);
}

async function readDecisions(connection: DuckDBConnection, now: number): Promise<void> {
  const appender = await connection.createAppender('readDecisions');
  const text = (value: string | undefined) =>
    value === undefined ? appender.appendNull() : appender.appendVarchar(value);
  const query = `SELECT pos::DOUBLE, json::VARCHAR FROM ownRows WHERE kind = 'decision' AND reason IS NULL ORDER BY ownRows.pos`;
  for await (const chunk of queryChunks(connection, query))
    for (const [pos, json] of chunk.getRows() as [number, string][]) {
      const parsed = LoggedDecision.safeParse(JSON.parse(json));
      appender.appendBigInt(BigInt(pos));
      if (!parsed.success || Date.parse(parsed.data.decidedAt) > now + dayMs) {
        appender.appendVarchar(parsed.success ? 'badDate' : 'invalid');
        for (let column = 0; column < LAKE_TABLES.decisions.length; column++) appender.appendNull();
      } else {
        const { decisionId, customerId, sessionId, decidedAt, channel, campaign } = parsed.data;
        appender.appendNull();
        text(decisionId);
        text(customerId);
        text(sessionId);
        appender.appendTimestamp(new DuckDBTimestampValue(BigInt(Date.parse(decidedAt)) * 1000n));
        text(channel);
        text(campaign);
        text(JSON.stringify(parsed.data));
      }
      appender.endRow();
    }
  appender.closeSync();
}
