/** What was answered lately, by what was asked: what nobody has asked for the longest goes first. */
import { LRUCache } from 'lru-cache';

export type RecentAnswers<Answer> = {
  get: (question: string) => Answer | undefined;
  /** `size`: about how many bytes it holds beside the question. */
  put: (question: string, answer: Answer, size: number) => void;
  delete: (question: string) => void;
};

/** Questions that are longer are not worth keeping. */
const questionMax = 1000;
/** Of an entry, beside its texts. */
const entrySize = 512;

/** Holds at most `maxBytes`. */
export function createRecentAnswers<Answer extends NonNullable<unknown>>(
  maxBytes: number,
): RecentAnswers<Answer> {
  const kept = new LRUCache<string, Answer>({ maxSize: maxBytes });
  return {
    get: (question) => kept.get(question),
    put: (question, answer, size) => {
      if (question.length > questionMax) return;
      kept.set(question, answer, { size: size + question.length + entrySize });
    },
    delete: (question) => {
      kept.delete(question);
    },
  };
}
