/** The place in a list of customers at which the next page begins: opaque to whoever carries it. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { CustomerId } from '../../domain/ids.ts';
import { SnapshotId } from '../../history/score-snapshots.ts';

const Cursor = z.strictObject({
  snapshot: SnapshotId,
  /** Of the question that it goes on with. */
  question: z.string().length(16),
  /** Sort key and id of the last customer of the page before. */
  key: z.number(),
  customerId: CustomerId,
});
export type Cursor = z.output<typeof Cursor>;

export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** AppError INVALID_REQUEST for what none of ours is, or belongs to another question. */
export function decodeCursor(text: string, question: string): Cursor {
  const parsed = Cursor.safeParse(parseJson(Buffer.from(text, 'base64url').toString('utf8')));
  if (!parsed.success) throw refused('is none that was answered here');
  if (parsed.data.question !== question)
    throw refused(
      'belongs to other filters or another order: repeat those that it came with, or leave it out',
    );
  return parsed.data;
}

/** Names filters and order, whichever way they were written. */
export function questionHash(question: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(question).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

function refused(message: string): AppError {
  return new AppError('INVALID_REQUEST', {
    public: 'The request has a fault.',
    faults: [{ path: 'query.cursor', message }],
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
