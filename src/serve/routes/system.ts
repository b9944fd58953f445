/** For those who operate the service: is it alive, is it ready, what does it count, what can it do. */
import { z } from 'zod';
import { AppError, type Fault } from '../../domain/errors.ts';
import { ModelName } from '../../domain/manifest.ts';
import type { Deps } from '../deps.ts';
import type { OpenApiDocument } from '../openapi.ts';
import { defineRoute, type Route } from '../route.ts';

const ReadyAnswer = z
  .object({
    status: z.literal('ready'),
    /** Versions in memory; null: none has been published yet (answers are degraded, events are taken). */
    models: z.record(ModelName, z.string().nullable()),
    catalogueItems: z.int(),
    /** false: the worker has not built records and catalogue from the lake yet, or is to do it again (Redis came back empty). */
    recordsBuilt: z.boolean(),
  })
  .meta({ id: 'Ready' });

const tags = ['system'] as const;

/** What keeps the service from doing all that it should. A model that was never trained is no reason: events must come in first. */
async function readiness({
  redis,
  keys,
  catalogue,
  eviction,
}: Pick<Deps, 'redis' | 'keys' | 'catalogue' | 'eviction'>): Promise<{
  faults: Fault[];
  recordsBuilt: boolean;
}> {
  const faults: Fault[] = [];
  let recordsBuilt = false;
  try {
    recordsBuilt = (await redis.exists(keys.recordsBuilt)) === 1;
  } catch {
    faults.push({ path: 'redis', message: 'cannot be reached: answers are degraded, writes are refused' });
  }
  if (eviction.evicts)
    faults.push({
      path: 'redis',
      message: 'evicts keys, which may lose accepted events: set its maxmemory-policy to noeviction',
    });
  if (!catalogue.loaded) faults.push({ path: 'catalogue', message: 'has not been read from Redis yet' });
  return { faults, recordsBuilt };
}

/** `document` is asked for once, when the routes are complete. */
export function systemRoutes(document: () => OpenApiDocument): Route[] {
  let made: OpenApiDocument | undefined;
  return [
    defineRoute({
      method: 'GET',
      path: '/livez',
      scope: 'public',
      summary: 'Whether the process runs',
      tags,
      responses: { 200: z.object({ status: z.literal('alive') }) },
      handler: () => ({ status: 200, body: { status: 'alive' as const } }),
    }),
    defineRoute({
      method: 'GET',
      path: '/readyz',
      scope: 'public',
      summary: 'Whether the process can do all that it should; if not, 503 says why',
      tags,
      responses: { 200: ReadyAnswer },
      problems: [503],
      handler: async (_input, deps) => {
        const { faults, recordsBuilt } = await readiness(deps);
        if (faults.length > 0) {
          throw new AppError('STORE_UNAVAILABLE', {
            public: `Not ready: ${faults.map(({ path, message }) => `${path} ${message}`).join('; ')}.`,
            faults,
            retryAfterSeconds: 1,
          });
        }
        const { collaborative, churn, customerValue, offers } = deps.models;
        return {
          status: 200,
          body: {
            status: 'ready' as const,
            models: {
              collaborative: collaborative?.version ?? null,
              churn: churn?.version ?? null,
              'customer-value': customerValue?.version ?? null,
              offers: offers?.version ?? null,
            },
            catalogueItems: deps.catalogue.items.size,
            recordsBuilt,
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/metrics',
      scope: 'read',
      summary: 'Counts and durations, for Prometheus',
      tags,
      answerType: 'text/plain; version=0.0.4; charset=utf-8',
      responses: { 200: z.string() },
      handler: async (_input, deps) => ({ status: 200, body: await deps.metricsSource.metrics() }),
    }),
    defineRoute({
      method: 'GET',
      path: '/openapi.json',
      scope: 'public',
      summary: 'This API as an OpenAPI 3.1 document; /docs shows it',
      tags,
      responses: { 200: z.looseObject({ openapi: z.string() }) },
      handler: () => {
        made ??= document();
        return { status: 200, body: { ...made } };
      },
    }),
  ];
}
