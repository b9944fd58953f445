import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { couponCampaigns, writeCampaigns } from '../../support/coupon-campaigns.ts';
import { sandbox } from '../../support/nextbest.ts';

const { run } = await sandbox();

test('a folder that is not there is wrong usage, with the cure', async () => {
  const { exitCode, stderr } = await run(['evaluate', 'redemptions', '/nowhere', '--json']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('name the one with the files of The Complete Journey');
});

test('prints how well it is foretold who redeems, by what is learnt and by past redemptions, and the difference', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-redemptions-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeCampaigns(couponCampaigns(150), folder);
  const { exitCode, stdout, stderr } = await run(['evaluate', 'redemptions', folder, '--json']);
  expect(exitCode, stderr).toBe(0);
  const [learned, past, difference, ...rest] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rest).toEqual([]);
  expect(learned).toEqual({ model: 'learned', auc: expect.any(Number) });
  expect(past).toEqual({ model: 'past-redemptions', auc: expect.any(Number) });
  expect(difference).toMatchObject({ model: 'learned', minus: 'past-redemptions' });
  expect(learned.auc).toBeGreaterThan(0.7);
  expect(difference.auc).toBeCloseTo(learned.auc - past.auc, 9);
  expect(difference.lower).toBeGreaterThan(0);
  expect(difference.upper).toBeGreaterThan(difference.auc);
  expect(stderr).toContain('600 households × campaigns');
});
