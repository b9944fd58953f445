/** The service's way to the lake's figures: a DuckDB of its own, opened by the first question, with few threads and bounded memory. */
import { availableParallelism } from 'node:os';
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import { type Lake, openLake } from '../history/lake.ts';
import { type AnswerDesk, createAnswerDesk } from '../insights/answer-desk.ts';
import { answerReadout, type ReadoutQuestion } from '../insights/experiments/questions.ts';
import type { Readout } from '../insights/experiments/readout.ts';
import { type Retention, type RetentionQuestion, readRetention } from '../insights/retention.ts';
import { DEFAULT_MARGIN_RATE } from '../offers/shop-statistics.ts';
import type { ServeMetrics } from './metrics.ts';

export type Insights = {
  retention: AnswerDesk<RetentionQuestion, Retention>['ask'];
  readout: AnswerDesk<ReadoutQuestion, Readout>['ask'];
};

type Question = ({ about: 'retention' } & RetentionQuestion) | ({ about: 'experiment' } & ReadoutQuestion);

const memoryMb = 1024;

export function createInsights(
  dataDir: string,
  policy: DecisionPolicy,
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
  const stateOf = (lake: Lake) =>
    (['events', 'items', 'offers', 'decisions'] as const).map((table) => lake.from(table)).join(' ');
  const work = async (lake: Lake, question: Question, signal: AbortSignal): Promise<Retention | Readout> =>
    question.about === 'retention'
      ? await readRetention(lake, question, now(), signal)
      : await answerReadout(
          lake,
          question,
          policy,
          { assumedShare: DEFAULT_MARGIN_RATE, now: now() },
          signal,
        );
  // One desk for all questions: they are worked out one after the other.
  const desk = createAnswerDesk<Question, Retention | Readout>({
    now,
    stateOf: async () => stateOf(await open()),
    work: async (question, signal) => {
      const lake = await open();
      const before = stateOf(lake);
      const finish = duration.startTimer({ about: question.about });
      try {
        const answer = await work(lake, question, signal);
        finish({ outcome: 'ok' });
        return answer;
      } catch (err) {
        finish({ outcome: 'error' });
        // The worker merges parts now and then: one that was to be read may be gone.
        if (signal.aborted || stateOf(lake) === before) throw err;
        return await work(lake, question, signal);
      }
    },
  });
  return {
    retention: async (question) => {
      const { answer, computedAt } = await desk.ask({ ...question, about: 'retention' });
      return { answer: answer as Retention, computedAt };
    },
    readout: async (question) => {
      const { answer, computedAt } = await desk.ask({ ...question, about: 'experiment' });
      return { answer: answer as Readout, computedAt };
    },
    close: async () => {
      await desk.close();
      (await opening?.catch(() => undefined))?.close();
    },
  };
}
