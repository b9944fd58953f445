/** A campaign's list: asked for, watched, stopped, gone on with, downloaded. */
import { z } from 'zod';
import { stillAddressed } from '../../decide/still-addressed.ts';
import { BatchFormat, BatchLine, BatchPayload, BatchRequest, BatchStatus } from '../../domain/batch.ts';
import { AppError } from '../../domain/errors.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { batchFolder } from '../../infra/batch-files.ts';
import { noSuchBatch } from '../../infra/batch-queue.ts';
import { unknownFeatures } from '../../offers/offer-schema.ts';
import { LIST_FORMATS } from '../customers/list-format.ts';
import { firstFetched } from '../first-fetched.ts';
import { Flag } from '../query.ts';
import { defineRoute, NDJSON_TYPE } from '../route.ts';

const params = z.strictObject({ batchId: BatchPayload.shape.batchId });
const Status = BatchStatus.meta({ id: 'Batch' });
const tags = ['decisions'] as const;

export const batchRoutes = [
  defineRoute({
    method: 'POST',
    path: '/offers/batch',
    scope: 'decide',
    summary: 'Decides the offers of many customers, as a job',
    description:
      'Who: `customerIds`, a `segment` of the shop, those for whom the rule `eligibility` holds, or `everybody`. Budgets that do not ' +
      'suffice for all are shared out by value over the whole list. What it decides stands for a day: GET /customers/{id}/offers ' +
      'answers the same for the campaign. The same request again is the same job until a day after it is complete, and then another.',
    tags,
    body: BatchRequest.meta({ id: 'BatchRequest' }),
    responses: { 202: Status },
    problems: [413, 415, 429, 503],
    check: ({ body }) =>
      body?.eligibility === undefined
        ? []
        : unknownFeatures(body.eligibility, FEATURE_NAMES, 'body.eligibility'),
    handler: async ({ body }, { batches, now }) => {
      const batch = await batches.start(body, now());
      return { status: 202, headers: { location: `/offers/batch/${batch.jobId}` }, body: batch };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/offers/batch/{batchId}',
    scope: 'decide',
    summary: 'How far a batch is, and what it comes to so far',
    tags,
    params,
    responses: { 200: Status },
    problems: [404, 503],
    handler: async ({ params: { batchId } }, { batches }) => {
      const batch = await batches.get(batchId);
      if (batch === undefined) throw noSuchBatch();
      return { status: 200, body: batch };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/offers/batch/{batchId}/cancel',
    scope: 'decide',
    summary: 'Stops a batch; what is done stays, and it can go on later',
    tags,
    params,
    responses: { 202: Status },
    problems: [404, 409, 503],
    handler: async ({ params: { batchId } }, { batches }) => ({
      status: 202,
      body: await batches.cancel(batchId),
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/offers/batch/{batchId}/resume',
    scope: 'decide',
    summary: 'Goes on with a batch that was cancelled or has failed',
    tags,
    params,
    responses: { 202: Status },
    problems: [404, 409, 429, 503],
    handler: async ({ params: { batchId } }, { batches }) => ({
      status: 202,
      body: await batches.resume(batchId),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/offers/batch/{batchId}/result',
    scope: 'decide',
    summary: 'The list, in the format that was asked for; kept for seven days',
    description:
      '409 until it is complete, unless `partial=true` asks for what is there. Who has been erased, or has withdrawn consent for the ' +
      'channel, since the list was made is left out; with `includeNothing` the latter are listed as not `contactable`.',
    tags,
    params,
    query: z.strictObject({
      partial: Flag,
      format: BatchFormat.optional().meta({
        description: 'That in which it was asked for; 400 for any other',
      }),
    }),
    answerType: NDJSON_TYPE,
    moreAnswerTypes: [LIST_FORMATS.csv],
    responses: { 200: BatchLine.meta({ id: 'BatchLine' }) },
    problems: [404, 409, 503],
    handler: async ({ params: { batchId }, query: { partial, format } }, deps) => {
      const { batches, config } = deps;
      const folder = batchFolder(config.dataDir, batchId);
      const [batch, asked] = await Promise.all([batches.get(batchId), folder.request()]);
      if (batch === undefined || asked === undefined) throw noSuchBatch();
      if (format !== undefined && format !== batch.format) throw inOtherFormat(batch, format);
      if (batch.state !== 'completed' && !partial)
        throw new AppError('CONFLICT', {
          public: `The batch is ${batch.state}: ${whenThere(batch)}, or with partial=true for what is there.`,
        });
      return {
        status: 200,
        type: LIST_FORMATS[batch.format],
        headers: { 'content-disposition': `attachment; filename="${batchId}.${batch.format}"` },
        body: await firstFetched(stillAddressed(folder.lines(batch.format), asked, deps)),
      };
    },
  }),
];

function inOtherFormat({ format }: BatchStatus, asked: BatchFormat): AppError {
  const message = `must be ${format}, in which the list was asked for: the same request to POST /offers/batch with "format":"${asked}" makes it in ${asked}, of the same decisions`;
  return new AppError('INVALID_REQUEST', {
    public: 'The request has a fault.',
    faults: [{ path: 'query.format', message }],
  });
}

function whenThere({ jobId, state }: BatchStatus): string {
  const goOn = `POST /offers/batch/${jobId}/resume has it go on`;
  return state === 'cancelled' || state === 'failed' ? goOn : 'ask again when it is complete';
}
