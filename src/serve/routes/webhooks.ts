/** Webhooks that could not be delivered: see them, send them again. */
import { z } from 'zod';
import type { DeadWebhook } from '../../infra/webhook-queue.ts';
import { Count } from '../query.ts';
import { defineRoute } from '../route.ts';

const DeadLetter = z
  .object({
    /** The webhook-id. */
    id: z.string(),
    /** Absent, with the two after it, where it was made by another version. */
    type: z.string().optional(),
    customerId: z.string().optional(),
    /** When its cause happened. */
    timestamp: z.iso.datetime().optional(),
    attempts: z.int().min(0),
    /** Why the last attempt failed. */
    reason: z.string(),
    diedAt: z.iso.datetime(),
  })
  .meta({ id: 'DeadLetter' });

const idsMax = 1000;
const Replay = z.union([
  z.strictObject({ ids: z.array(z.string().min(1).max(100)).min(1).max(idsMax) }),
  z.strictObject({ all: z.literal(true) }),
]);

const offsetError = 'must be a whole number from 0 to 100000';
const Offset = z.coerce
  .number<string>({ error: offsetError })
  .int({ error: offsetError })
  .min(0, { error: offsetError })
  .max(100_000, { error: offsetError })
  .default(0);

const tags = ['webhooks'] as const;

export const webhookRoutes = [
  defineRoute({
    method: 'GET',
    path: '/webhooks/dead',
    scope: 'admin',
    summary: 'Webhooks that were given up, newest first',
    tags,
    query: z.strictObject({ n: Count, offset: Offset }),
    responses: { 200: z.object({ count: z.int(), webhooks: z.array(DeadLetter) }) },
    problems: [503],
    handler: async ({ query: { n, offset } }, { deadLetters }) => {
      const [count, listed] = await Promise.all([deadLetters.count(), deadLetters.list(offset, n)]);
      return { status: 200, body: { count, webhooks: listed.map(describe) } };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/webhooks/replay',
    scope: 'admin',
    summary: 'Sends dead letters again, with all their attempts',
    description:
      'Those of `ids` that are none (delivered, on their way, never heard of) are named in `unknown`.',
    tags,
    body: Replay,
    responses: { 200: z.object({ replayed: z.int(), unknown: z.array(z.string()) }) },
    problems: [413, 415, 503],
    handler: async ({ body }, { deadLetters }) => {
      if ('all' in body)
        return { status: 200, body: { replayed: await deadLetters.replayAll(), unknown: [] } };
      const done = await deadLetters.replay(body.ids);
      return {
        status: 200,
        body: { replayed: done.length, unknown: body.ids.filter((id) => !done.includes(id)) },
      };
    },
  }),
];

function describe({ id, notice, attempts, reason, diedAt }: DeadWebhook): z.input<typeof DeadLetter> {
  return {
    id,
    ...(notice && {
      type: notice.type,
      customerId: notice.data.customerId,
      timestamp: notice.timestamp,
    }),
    attempts,
    reason,
    diedAt: new Date(diedAt).toISOString(),
  };
}
