/**
 * Decisions of long ago, which only the lake has: read by a DuckDB of its own, opened by the first question, one question
 * after the other; one after the other too are those of many decisions.
 */

import { LoggedDecision } from '../../decide/decision-log.ts';
import { timeOfDecision } from '../../domain/decision-time.ts';
import {
  type FoundOutcome,
  findDecisions,
  findOutcomes,
  type WantedDecision,
} from '../../history/find-decision.ts';
import { type Lake, openLake } from '../../history/lake.ts';
import { createAnswerDesk } from '../../insights/answer-desk.ts';

export type PastDecision = { decision: LoggedDecision; outcomes: FoundOutcome[] };

export type PastDecisions = {
  /** undefined: the lake does not have it. Rejects with TOO_MANY_REQUESTS while many others are being looked for. */
  find: (decisionId: string) => Promise<PastDecision | undefined>;
  /** Those of them that the lake has, by id, without their outcomes: one question for all. Rejects as `find` does. */
  findMany: (decisionIds: readonly string[]) => Promise<Map<string, LoggedDecision>>;
};

const limits = { threads: 1, memoryMb: 256 };

/** `atLake` counts who waits for an answer. */
export function createPastDecisions(
  dataDir: string,
  now: () => number,
  atLake: { value: number },
): PastDecisions & { close: () => Promise<void> } {
  let opening: Promise<Lake> | undefined;
  const open = (): Promise<Lake> => {
    opening ??= openLake(dataDir, limits).catch((err: unknown) => {
      opening = undefined;
      throw err;
    });
    return opening;
  };
  const stateOf = (lake: Lake) => `${lake.from('decisions')} ${lake.from('events')}`;

  async function read(lake: Lake, wanted: WantedDecision): Promise<PastDecision | undefined> {
    const [decision] = await readMany(lake, [wanted]);
    if (decision === undefined) return undefined;
    const { customerId, sessionId } = decision;
    const connection = await lake.connect();
    try {
      return {
        decision,
        outcomes: await findOutcomes(lake, connection, { ...wanted, customerId, sessionId }),
      };
    } finally {
      connection.closeSync();
    }
  }

  async function readMany(lake: Lake, wanted: readonly WantedDecision[]): Promise<LoggedDecision[]> {
    const connection = await lake.connect();
    try {
      const found = await findDecisions(lake, connection, wanted);
      return found.flatMap((decision) => LoggedDecision.safeParse(decision).data ?? []);
    } finally {
      connection.closeSync();
    }
  }

  /** The worker merges parts now and then: one that was to be read may be gone. */
  async function twiceIfMerged<T>(work: (lake: Lake) => Promise<T>): Promise<T> {
    const lake = await open();
    const before = stateOf(lake);
    try {
      return await work(lake);
    } catch (err) {
      if (stateOf(lake) === before) throw err;
      return await work(lake);
    }
  }

  const common = { now, stateOf: async () => stateOf(await open()) };
  const desk = createAnswerDesk<WantedDecision, PastDecision | undefined>({
    ...common,
    // What was not there a moment ago may have come by now.
    mayBeOld: (found) => found !== undefined,
    work: (wanted) => twiceIfMerged((lake) => read(lake, wanted)),
  });
  const deskOfMany = createAnswerDesk<readonly WantedDecision[], LoggedDecision[]>({
    ...common,
    mayBeOld: () => false,
    // It may be thousands of decisions, and hardly anybody asks for the same again.
    answersMax: 1,
    work: (wanted) => twiceIfMerged((lake) => readMany(lake, wanted)),
  });

  async function counted<T>(work: Promise<T>): Promise<T> {
    atLake.value++;
    try {
      return await work;
    } finally {
      atLake.value--;
    }
  }

  return {
    find: async (decisionId) => {
      const decidedAt = timeOfDecision(decisionId);
      if (decidedAt === undefined) return undefined;
      return (await counted(desk.ask({ decisionId, decidedAt }))).answer;
    },
    findMany: async (decisionIds) => {
      const wanted = decisionIds.flatMap((decisionId) => {
        const decidedAt = timeOfDecision(decisionId);
        return decidedAt === undefined ? [] : [{ decisionId, decidedAt }];
      });
      if (wanted.length === 0) return new Map();
      const { answer } = await counted(deskOfMany.ask(wanted));
      return new Map(answer.map((decision) => [decision.decisionId, decision]));
    },
    close: async () => {
      await Promise.all([desk.close(), deskOfMany.close()]);
      (await opening?.catch(() => undefined))?.close();
    },
  };
}
