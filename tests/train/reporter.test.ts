import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobProgress } from '../../src/domain/job.ts';
import { createReporter } from '../../src/train/reporter.ts';

function reporter() {
  const sent: JobProgress[] = [];
  const clock = { now: 0 };
  const report = createReporter(
    async (progress) => void sent.push(progress),
    () => clock.now,
  );
  return { sent, clock, report };
}

test('a share never falls and never passes 1, whatever the stages estimate', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.double({ min: 0, max: 2, noNaN: true })), async (shares) => {
      const { sent, clock, report } = reporter();
      for (const share of shares) {
        clock.now += 1000;
        await report(share, 'stage');
      }
      const reported = sent.map(({ share }) => share);
      expect(reported).toEqual(reported.toSorted((a, b) => a - b));
      expect(Math.max(0, ...reported)).toBeLessThanOrEqual(1);
    }),
  );
});

test('within a stage it speaks five times a second; of a new stage and of the end at once', async () => {
  const { sent, clock, report } = reporter();
  for (clock.now = 0; clock.now < 1000; clock.now += 10) await report(clock.now / 2000, 'learning');
  expect(sent).toHaveLength(5);
  await report(0.6, 'testing');
  await report(1, 'testing');
  expect(sent.slice(5)).toEqual([
    { share: 0.6, stage: 'testing' },
    { share: 1, stage: 'testing' },
  ]);
});
