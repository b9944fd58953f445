/** The service's way to the lake's figures: a DuckDB of its own, opened by the first question, with few threads and bounded memory. */
import { availableParallelism } from 'node:os';
import { type Lake, openLake } from '../history/lake.ts';
import { type AnswerDesk, createAnswerDesk } from '../insights/answer-desk.ts';
import { type Retention, type RetentionQuestion, readRetention } from '../insights/retention.ts';
import type { ServeMetrics } from './metrics.ts';

export type Insights = { retention: AnswerDesk<RetentionQuestion, Retention>['ask'] };

const memoryMb = 1024;

export function createInsights(
  dataDir: string,
  now: () => number,
  duration: Pick<ServeMetrics['insightsDuration'], 'startTimer'>,
): Insights & { close: () => Promise<void> } {
  let opening: Promise<Lake> | undefined;
  const open = (): Promise<Lake> => {
    // Half of the cores: requests are answered meanwhile.
    const threads = Math.max(1, Math.floor(availableParallelism() / 2));
    opening ??= openLake(dataDir, { threads, memoryMb }).catch((err: unknown) => {
      opening = undefined;
      throw err;
    });
    return opening;
  };
  const desk = createAnswerDesk<RetentionQuestion, Retention>({
    now,
    stateOf: async () => (await open()).from('events'),
    work: async (question, signal) => {
      const lake = await open();
      const before = lake.from('events');
      const finish = duration.startTimer();
      try {
        const retention = await readRetention(lake, question, now(), signal);
        finish({ outcome: 'ok' });
        return retention;
      } catch (err) {
        finish({ outcome: 'error' });
        // The worker merges parts now and then: one that was to be read may be gone.
        if (signal.aborted || lake.from('events') === before) throw err;
        return await readRetention(lake, question, now(), signal);
      }
    },
  });
  return {
    retention: desk.ask,
    close: async () => {
      await desk.close();
      (await opening?.catch(() => undefined))?.close();
    },
  };
}
