/** What was answered lately, by what was asked: a map that forgets what nobody has asked for while it filled up. */

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

/** Holds at most twice `generationMax` bytes: two generations, of which the older one is dropped when the younger one is full. */
export function createRecentAnswers<Answer>(generationMax: number): RecentAnswers<Answer> {
  type Entry = { answer: Answer; size: number };
  let young = new Map<string, Entry>();
  let old = new Map<string, Entry>();
  let filled = 0;

  function add(question: string, entry: Entry): void {
    filled += entry.size - (young.get(question)?.size ?? 0);
    young.set(question, entry);
    if (filled <= generationMax) return;
    old = young;
    young = new Map();
    filled = 0;
  }

  return {
    get: (question) => {
      const entry = young.get(question);
      if (entry !== undefined) return entry.answer;
      const former = old.get(question);
      if (former === undefined) return undefined;
      old.delete(question);
      add(question, former);
      return former.answer;
    },
    put: (question, answer, size) => {
      if (question.length > questionMax) return;
      old.delete(question);
      add(question, { answer, size: size + question.length + entrySize });
    },
    delete: (question) => {
      filled -= young.get(question)?.size ?? 0;
      young.delete(question);
      old.delete(question);
    },
  };
}
