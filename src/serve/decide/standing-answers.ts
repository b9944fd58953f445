/**
 * Answers of standing decisions that this process has given, as they were written. One is given again as long as the very same
 * text stands in Redis, the customer's record is the same, and the catalogue too: then nobody has withdrawn anything.
 */
import type { StandingRead } from '../../decide/standing-decision.ts';
import type { Catalogue } from '../../infra/catalogue.ts';
import { createRecentAnswers } from '../recent-answers.ts';

export type StandingAnswer = {
  json: string;
  bytes: number;
  /** For the metrics. */
  counted: { channel: string; answer: string; experiments: readonly { name: string; variant: string }[] };
};

export type StandingAnswers = {
  /** `question` names the customer and says what was asked of the decision. */
  find: (question: string, read: StandingRead, now: number) => StandingAnswer | undefined;
  keep: (question: string, read: StandingRead, answer: StandingAnswer, now: number) => void;
};

type Entry = {
  text: Buffer;
  stamp: Buffer | undefined;
  revision: number;
  until: number;
  answer: StandingAnswer;
};

/** No rule that ends a decision comes into force by time alone; should one ever, it is heeded after this long. */
const keptMs = 60_000;
/** Bytes, as `createRecentAnswers` counts them. */
const keptBytes = 64 * 2 ** 20;

export function createStandingAnswers(catalogue: Pick<Catalogue, 'revision'>): StandingAnswers {
  const recent = createRecentAnswers<Entry>(keptBytes);
  return {
    find: (question, { text, stamp }, now) => {
      const entry = recent.get(question);
      if (entry === undefined || text === null) return undefined;
      const isSame =
        entry.revision === catalogue.revision &&
        now < entry.until &&
        entry.text.equals(text) &&
        (stamp === undefined ? entry.stamp === undefined : entry.stamp?.equals(stamp) === true);
      return isSame ? entry.answer : undefined;
    },
    keep: (question, { text, stamp }, answer, now) => {
      if (text === null) return;
      recent.put(
        question,
        // Copies: what was read is a part of all that came with it.
        {
          text: Buffer.from(text),
          stamp: stamp && Buffer.from(stamp),
          revision: catalogue.revision,
          until: now + keptMs,
          answer,
        },
        text.length + answer.bytes,
      );
    },
  };
}
