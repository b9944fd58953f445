/** A customer's own data: everything held, and its erasure. */
import { z } from 'zod';
import { ErasureStatus, ReceiptId } from '../../domain/erasure.ts';
import { AppError } from '../../domain/errors.ts';
import { CustomerId } from '../../domain/ids.ts';
import { statusOf } from '../../infra/erasure-files.ts';
import { defineRoute } from '../route.ts';

const params = z.strictObject({ customerId: CustomerId });
const tags = ['customers'] as const;
const things = z.array(z.looseObject({}));

const HeldData = z
  .object({
    customerId: z.string(),
    exportedAt: z.iso.datetime(),
    /** What the service knows at this moment: attributes and consents, features, purchases, views; null: nothing. */
    record: z.looseObject({ attributes: z.looseObject({}), features: z.looseObject({}) }).nullable(),
    /** Sessions that the customer was known in; null: the guest's record, which is kept for a day, is gone. */
    sessions: things,
    /** Offers that were made lately, and what became of them. */
    contacts: things,
    /** Of offers' budgets, what is out or spent for the customer. */
    reservations: things,
    /** Of the last nights. */
    scores: things,
    /** What a CRM was told, or is to be told. */
    notices: things,
    /** Everything that happened, in the order of time, as a guest in those sessions too; outcomes of offers among it. */
    events: things,
    decisions: things,
  })
  .meta({ id: 'HeldData' });

export const privacyRoutes = [
  defineRoute({
    method: 'GET',
    path: '/customers/{customerId}/data',
    asksLake: true,
    scope: 'admin',
    summary: 'Everything that is held of the customer',
    description:
      'One JSON document, written as it is read. Somebody of whom nothing is held has a document of empty lists.',
    tags,
    params,
    responses: { 200: HeldData },
    problems: [429, 503],
    handler: async ({ params: { customerId } }, deps) => ({
      status: 200,
      type: 'application/json; charset=utf-8',
      headers: {
        'content-disposition': 'attachment; filename="customer-data.json"',
        'cache-control': 'no-store',
      },
      body: await deps.held.export(customerId, deps.now()),
    }),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/customers/{customerId}',
    scope: 'admin',
    summary: 'Erases the customer everywhere, and proves it with a receipt',
    description:
      'What happened until now is erased from records, event stream, history, decisions, budgets, scores, lists of campaigns and ' +
      'webhooks, and enters no model that is trained from then on: within 24 hours where a worker runs, as a rule within minutes. From ' +
      'this answer on, such events are refused, whoever tells of them again (where Redis takes no writes at the moment, from when the ' +
      'worker begins, and what came until then goes with the rest); later ones begin a new customer. The receipt at `location` says ' +
      'how far it is.',
    tags,
    params,
    responses: { 202: ErasureStatus },
    problems: [503],
    handler: async ({ params: { customerId } }, deps) => {
      const pending = await deps.erasures.request(customerId, deps.now());
      // It is on the disk, and will be done: what Redis says now no longer refuses it. The worker begins with the same.
      await deps.tombstones
        .bury([customerId], pending.requestedAt)
        .catch((err: unknown) =>
          deps.log.warn(
            { event: 'erasure.unburied', receiptId: pending.receiptId, err },
            'an erasure is written down, and Redis does not know of it yet',
          ),
        );
      return {
        status: 202,
        body: statusOf(pending),
        headers: { location: `/erasures/${pending.receiptId}` },
      };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/erasures/{receiptId}',
    scope: 'admin',
    summary: 'How far an erasure is; in the end, the receipt',
    tags,
    params: z.strictObject({ receiptId: ReceiptId }),
    responses: { 200: ErasureStatus },
    problems: [404],
    handler: async ({ params: { receiptId } }, deps) => {
      const status = await deps.erasures.status(receiptId);
      if (status === undefined) throw new AppError('NOT_FOUND', { public: 'There is no such receipt.' });
      return { status: 200, body: status };
    },
  }),
];
