/**
 * Decisions of long ago, which only the lake has: read by a DuckDB of its own, opened by the first question, one question
 * after the other.
 */

import { type LoggedDecision, parseDecision } from '../../decide/decision-log.ts';
import { timeOfDecision } from '../../domain/decision-time.ts';
import { type FoundOutcome, findDecision, findOutcomes } from '../../history/find-decision.ts';
import { type Lake, openLake } from '../../history/lake.ts';
import { createAnswerDesk } from '../../insights/answer-desk.ts';

export type PastDecision = { decision: LoggedDecision; outcomes: FoundOutcome[] };

export type PastDecisions = {
  /** undefined: the lake does not have it. Rejects with TOO_MANY_REQUESTS while many others are being looked for. */
  find: (decisionId: string) => Promise<PastDecision | undefined>;
};

const limits = { threads: 1, memoryMb: 256 };

export function createPastDecisions(
  dataDir: string,
  now: () => number,
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

  async function read(lake: Lake, decisionId: string, at: number): Promise<PastDecision | undefined> {
    const connection = await lake.connect();
    try {
      const decision = parseDecision(await findDecision(lake, connection, decisionId, at));
      if (decision === undefined) return undefined;
      const { customerId, sessionId } = decision;
      const asked = { decisionId, decidedAt: at, customerId, sessionId };
      return { decision, outcomes: await findOutcomes(lake, connection, asked) };
    } finally {
      connection.closeSync();
    }
  }

  const desk = createAnswerDesk<{ decisionId: string; at: number }, PastDecision | undefined>({
    now,
    stateOf: async () => stateOf(await open()),
    // What was not there a moment ago may have come by now.
    mayBeOld: (found) => found !== undefined,
    work: async ({ decisionId, at }) => {
      const lake = await open();
      const before = stateOf(lake);
      try {
        return await read(lake, decisionId, at);
      } catch (err) {
        // The worker merges parts now and then: one that was to be read may be gone.
        if (stateOf(lake) === before) throw err;
        return await read(lake, decisionId, at);
      }
    },
  });
  return {
    find: async (decisionId) => {
      const at = timeOfDecision(decisionId);
      return at === undefined ? undefined : (await desk.ask({ decisionId, at })).answer;
    },
    close: async () => {
      await desk.close();
      (await opening?.catch(() => undefined))?.close();
    },
  };
}
