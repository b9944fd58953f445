/** What a caller sees while parts of the lake are damaged, over HTTP, and once they have been put back. */
import { copyFile, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newDecisionId } from '../../src/decide/decision-id.ts';
import { dayMs } from '../../src/domain/time.ts';
import { type LakeTable, listParts, openLake, writePart } from '../../src/history/lake.ts';
import { writeSmallShop } from '../insights/small-shop.ts';
import { testRedis } from '../support/redis.ts';
import { startTestService } from '../support/service.ts';

const { url: redisUrl, prefix } = testRedis();

/** Cut off as by a copy that was broken off; answers what puts them back. */
async function cutParts(dataDir: string, table: LakeTable, keptBytes: number): Promise<() => Promise<void>> {
  const lake = await openLake(dataDir);
  const parts = (await listParts(lake, table)).map((name) => join(lake.folder(table), name));
  lake.close();
  expect(parts.length).toBeGreaterThan(0);
  for (const part of parts) {
    await copyFile(part, `${part}.backup`);
    await truncate(part, keptBytes);
  }
  return async () => {
    for (const part of parts) await copyFile(`${part}.backup`, part);
  };
}

test.each([
  { keptBytes: 0, how: 'empty' },
  { keptBytes: 100, how: 'cut off' },
])(
  'what reads a part that is $how answers 503 with the cure, all else goes on, and it heals',
  async ({ keptBytes }) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-damaged-'));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    const lake = await openLake(dataDir);
    await writeSmallShop(lake);
    await writePart(
      lake,
      'decisions',
      'import-decisions',
      `SELECT 'another' AS "decisionId", 'anna' AS "customerId", NULL::VARCHAR AS "sessionId", TIMESTAMP '2026-01-01' AS "decidedAt",
      'web' AS channel, NULL::VARCHAR AS campaign, '{}' AS json`,
    );
    lake.close();
    const service = await startTestService({
      redisUrl,
      prefix,
      env: { DATA_DIR: dataDir },
      bare: true,
      policy: { controlGroupShare: 0.2 },
    });
    onTestFinished(() => service.close());
    const longAgo = newDecisionId(Date.now() - 300 * dayMs);
    const readers: [path: string, whole: number][] = [
      ['/insights/retention', 200],
      ['/control-group?from=2026-03-01&to=2026-03-31', 200],
      ['/customers/anna/data', 200],
      [`/decisions/${longAgo}`, 404],
    ];
    const heal = [
      await cutParts(dataDir, 'events', keptBytes),
      await cutParts(dataDir, 'decisions', keptBytes),
    ];
    for (const [path] of readers) {
      const { status, body, headers } = await service.call('GET', path);
      expect([path, status, body.code]).toEqual([path, 503, 'LAKE_UNREADABLE']);
      expect(body.detail).toContain('runbook');
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      // Where files lie is the operator's to know.
      expect(JSON.stringify(body)).not.toContain(dataDir);
    }
    expect((await service.call('GET', '/recommendations')).status).toBe(200);
    expect((await service.call('GET', '/customers/anna/offers')).status).toBe(200);
    const visit = { type: 'visit', customerId: 'anna' };
    expect((await service.call('POST', '/events', visit)).status).toBe(202);

    for (const putBack of heal) await putBack();
    for (const [path, whole] of readers)
      expect([path, (await service.call('GET', path)).status]).toEqual([path, whole]);
  },
);
