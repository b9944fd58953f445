import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type Found, firstLoss } from '../../../src/cli/bench/chaos/first-loss.ts';
import { noPromises } from '../../../src/cli/bench/chaos/promises.ts';
import { benchChaos } from '../../../src/cli/bench/chaos.ts';
import { describeNative } from '../../support/redis.ts';

/** Longer by the environment: CHAOS_SECONDS=600. */
const seconds = Number(process.env.CHAOS_SECONDS ?? 12);

describeNative('services, worker and Redis are killed while callers post', () => {
  test(
    'nothing that was acknowledged is lost, nothing counts twice, records are what a replay makes',
    async () => {
      const options = { seconds, seed: 1, callers: 12, appendOnly: true };
      const line = await benchChaos(options, () => {});
      expect(line.loss).toBeNull();
      expect(line.kept).toBeNull();
      expect(line.kills.serve + line.kills.worker + line.kills.redis).toBeGreaterThan(0);
      // It was not that nothing happened.
      expect(line.acknowledged).toBeGreaterThanOrEqual(20);
      expect(line.inLake).toBeGreaterThanOrEqual(line.acknowledged);
      expect(line.records).toBeGreaterThan(250);
    },
    (seconds + 400) * 1000,
  );

  test('a Redis that keeps nothing on the disk is found out, and what was there is kept to look at', async () => {
    const options = { seconds: 5, seed: 2, callers: 12, appendOnly: false };
    const line = await benchChaos(options, () => {});
    expect(line.loss).toMatch(/acknowledged and is not in the lake|is gone|was unknown|was answered 404/);
    expect(existsSync(line.kept ?? '')).toBe(true);
    await rm(line.kept ?? '', { recursive: true, force: true });
  }, 400_000);
});

describe('a broken promise is named', () => {
  const event = { type: 'view', customerId: 'anna', occurredAt: 1000, lines: 2 };
  const kept = () => {
    const promises = noPromises();
    promises.sent.set('e1', event);
    promises.sent.set('e2', event);
    promises.acknowledged.add('e1');
    promises.decisions.add('d1');
    promises.jobs.add('j1');
    promises.redemptions.set('o1', { reported: new Set(['d1', 'd2']), acknowledged: new Set(['d1']) });
    return promises;
  };
  const found = (): Found => ({
    events: [{ eventId: 'e1', copies: 1, ...event }],
    decisions: new Set(['d1']),
    wrongRecords: [],
    records: 1,
    jobs: new Map([['j1', { state: 'completed' }]]),
    models: 1,
    brokenModels: [],
    budgets: [{ offerId: 'o1', limit: 2, confirmed: 1, reserved: 1, unbudgeted: 0 }],
  });

  test('and where all were kept, none is; what was not acknowledged may be there, or not', () => {
    expect(firstLoss(kept(), found())).toBeNull();
    const more = found();
    more.events.push({ eventId: 'e2', copies: 1, ...event });
    expect(firstLoss(kept(), more)).toBeNull();
  });

  test.each<[string, (found: Found) => void]>([
    ['e1 was acknowledged and is not in the lake', (has) => has.events.pop()],
    ['e1 is in the lake 2 times', (has) => Object.assign(has.events[0] ?? {}, { copies: 2 })],
    ['e1 is in the lake with lines 1', (has) => Object.assign(has.events[0] ?? {}, { lines: 1 })],
    [
      'e3 is in the lake and was never sent',
      (has) => has.events.push({ eventId: 'e3', copies: 1, ...event }),
    ],
    ['decision d1 was answered', (has) => Object.assign(has, { decisions: new Set() })],
    ['customer anna', (has) => has.wrongRecords.push('anna')],
    ['1 redeemed and 2 reserved of 2', (has) => Object.assign(has.budgets[0] ?? {}, { reserved: 2 })],
    ['counts 0 redemptions', (has) => Object.assign(has.budgets[0] ?? {}, { confirmed: 0 })],
    [
      'counts 3 redemptions',
      (has) => Object.assign(has.budgets[0] ?? {}, { limit: 9, confirmed: 2, unbudgeted: 1 }),
    ],
    ['churn 1: damaged', (has) => has.brokenModels.push('churn 1: damaged')],
    ['job j1 was accepted and is gone', (has) => Object.assign(has, { jobs: new Map([['j1', null]]) })],
    [
      'job j1 failed: no',
      (has) => Object.assign(has, { jobs: new Map([['j1', { state: 'failed', error: 'no' }]]) }),
    ],
  ])('%s', (words, spoil) => {
    const has = found();
    spoil(has);
    expect(firstLoss(kept(), has)).toContain(words);
  });

  test('so is an answer that no fault excuses', () => {
    const promises = kept();
    promises.unexpected.push('POST /events was answered 500 INTERNAL');
    expect(firstLoss(promises, found())).toContain('500');
  });
});
