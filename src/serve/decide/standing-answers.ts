/**
 * Answers of standing decisions that this process has given, as they were written. One is given again as long as the very same
 * decision stands in Redis, the customer's record is the same, and the catalogue too: then nobody has withdrawn anything. By time
 * alone, a decision ends with its window, when it no longer stands, or with an offer whose end was set earlier meanwhile.
 */
import type { StandingMark, StandingRead } from '../../decide/read-standing.ts';
import type { Catalogue } from '../../infra/catalogue.ts';
import type { TallySeries } from '../../infra/resolved-metrics.ts';
import { createRecentAnswers } from '../recent-answers.ts';

/** What an answer adds one to, in the metrics. */
export type Counted = {
  decisions: TallySeries;
  experiments: readonly { name: string; variant: string }[];
};

export type StandingAnswer = {
  json: string;
  bytes: number;
  counted: Counted;
};

/** `question` names the customer and says what was asked of the decision. */
export type StandingAnswers = {
  find: (question: string, read: Pick<StandingRead, 'text' | 'stamp'>) => StandingAnswer | undefined;
  keep: (question: string, mark: StandingMark, validity: Validity, answer: StandingAnswer) => void;
};

/** `revision`: the catalogue's, before anything was read. `until`: when the first of the offers ends, milliseconds since 1970. */
export type Validity = { revision: number; until: number };

type Entry = StandingMark & Validity & { answer: StandingAnswer };

/** Bytes, as `createRecentAnswers` counts them. */
const keptBytes = 64 * 2 ** 20;

export function createStandingAnswers(
  catalogue: Pick<Catalogue, 'revision'>,
  now: () => number,
): StandingAnswers {
  const recent = createRecentAnswers<Entry>(keptBytes);
  const isValid = (entry: Entry | undefined) =>
    entry !== undefined && entry.revision === catalogue.revision && now() < entry.until;
  return {
    find: (question, { text, stamp }) => {
      const entry = recent.get(question);
      const isSame =
        entry !== undefined &&
        isValid(entry) &&
        text !== null &&
        entry.head.equals(text.subarray(0, entry.head.length)) &&
        (stamp === undefined ? entry.stamp === undefined : entry.stamp?.equals(stamp) === true);
      return isSame ? entry.answer : undefined;
    },
    keep: (question, mark, validity, answer) => {
      recent.put(question, { ...mark, ...validity, answer }, mark.head.length + answer.bytes);
    },
  };
}
