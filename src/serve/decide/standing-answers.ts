/**
 * Answers of standing decisions that this process has given, as they were written. One is given again as long as the very same
 * decision stands in Redis, the customer's record is the same, and the catalogue too: then nobody has withdrawn anything. No
 * rule that ends a decision comes into force by time alone, and at the end of its window it no longer stands.
 */
import type { StandingMark } from '../../decide/standing-decision.ts';
import type { Catalogue } from '../../infra/catalogue.ts';
import { createRecentAnswers } from '../recent-answers.ts';

export type StandingAnswer = {
  json: string;
  bytes: number;
  /** For the metrics. */
  counted: { channel: string; answer: string; experiments: readonly { name: string; variant: string }[] };
};

/** `question` names the customer and says what was asked of the decision. */
export type StandingAnswers = {
  /** May there be one? Only then is it worth reading the mark alone. */
  has: (question: string) => boolean;
  find: (question: string, mark: StandingMark) => StandingAnswer | undefined;
  /** `revision`: the catalogue's, before anything was read. */
  keep: (question: string, mark: StandingMark, revision: number, answer: StandingAnswer) => void;
};

type Entry = StandingMark & { revision: number; answer: StandingAnswer };

/** Bytes, as `createRecentAnswers` counts them. */
const keptBytes = 64 * 2 ** 20;

export function createStandingAnswers(catalogue: Pick<Catalogue, 'revision'>): StandingAnswers {
  const recent = createRecentAnswers<Entry>(keptBytes);
  return {
    has: (question) => recent.get(question)?.revision === catalogue.revision,
    find: (question, { head, stamp }) => {
      const entry = recent.get(question);
      const isSame =
        entry !== undefined &&
        entry.revision === catalogue.revision &&
        entry.head.equals(head) &&
        (stamp === undefined ? entry.stamp === undefined : entry.stamp?.equals(stamp) === true);
      return isSame ? entry.answer : undefined;
    },
    keep: (question, mark, revision, answer) => {
      recent.put(question, { ...mark, revision, answer }, mark.head.length + answer.bytes);
    },
  };
}
