/** Published models: what is served, and its controls. */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { ModelManifest, ModelName, ModelVersion } from '../../domain/manifest.ts';
import { FEATURE_SCHEMA } from '../../features/registry.ts';
import { listModels, promoteModel, rollbackModel } from '../../infra/model-store.ts';
import type { Models } from '../../scoring/served.ts';
import type { Deps } from '../deps.ts';
import { defineRoute } from '../route.ts';

const ListedModel = ModelManifest.extend({
  /** The version that is named in CURRENT. */
  current: z.boolean(),
  /** Whether this process answers from it; after a promotion that takes a second or so. */
  serving: z.boolean(),
}).meta({ id: 'Model' });
const ModelList = z.object({ models: z.array(ListedModel) });
const params = z.strictObject({ name: ModelName });

async function list(deps: Deps, name?: ModelName): Promise<z.output<typeof ModelList>> {
  const listed = await listModels(deps.config.modelsDir);
  return {
    models: listed
      .filter(({ manifest }) => name === undefined || manifest.name === name)
      .map(({ manifest, current }) => ({
        ...manifest,
        current,
        serving: servedOf(deps.models, manifest.name)?.version === manifest.version,
      })),
  };
}

function servedOf(models: Models, name: ModelName): { version: string } | undefined {
  return name === 'customer-value' ? models.customerValue : models[name];
}

const tags = ['models'] as const;

export const modelRoutes = [
  defineRoute({
    method: 'GET',
    path: '/models',
    scope: 'read',
    summary: 'Every version of every model, newest first, with its figures and why it was (not) published',
    tags,
    responses: { 200: ModelList },
    handler: async (_input, deps) => ({ status: 200, body: await list(deps) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/models/{name}',
    scope: 'read',
    summary: 'Every version of one model, newest first',
    tags,
    params,
    responses: { 200: ModelList },
    handler: async ({ params: { name } }, deps) => ({ status: 200, body: await list(deps, name) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/models/{name}/promote',
    scope: 'admin',
    summary: 'Serve this version from now on',
    description:
      'Refused where the version is damaged, or reads the features of another build. Every process takes it up without a restart.',
    tags,
    params,
    body: z.strictObject({ version: ModelVersion }),
    responses: { 200: ModelManifest.meta({ id: 'ModelManifest' }) },
    problems: [404, 409, 413, 415, 503],
    handler: async ({ params: { name }, body: { version } }, deps) => ({
      status: 200,
      body: await promoteModel(deps.config.modelsDir, name, version, FEATURE_SCHEMA),
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/models/{name}/rollback',
    scope: 'admin',
    summary: 'Serve the version that was served before',
    tags,
    params,
    responses: { 200: ModelManifest },
    problems: [404, 409, 503],
    handler: async ({ params: { name } }, deps) => {
      const known = (await listModels(deps.config.modelsDir)).some(({ manifest }) => manifest.name === name);
      if (!known) throw new AppError('NOT_FOUND', { public: `No ${name} model has been published yet.` });
      return { status: 200, body: await rollbackModel(deps.config.modelsDir, name, FEATURE_SCHEMA) };
    },
  }),
];
