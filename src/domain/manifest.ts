import { z } from 'zod';

export const MODEL_NAMES = ['collaborative', 'churn', 'customer-value', 'offers'] as const;
export const ModelName = z.enum(MODEL_NAMES);
export type ModelName = z.output<typeof ModelName>;

/** `20261123T101500Z-1a2b3c4d`: the time of training, then a random tail; sorts by age. */
export const ModelVersion = z
  .string()
  .regex(
    /^\d{8}T\d{6}Z-[0-9a-f]{8}$/,
    'must be a version such as 20261123T101500Z-1a2b3c4d (GET /models/{name} lists them)',
  );
export type ModelVersion = z.output<typeof ModelVersion>;

export const ARRAY_TYPES = ['float32', 'float64', 'int32', 'uint32', 'uint8'] as const;

/** One file of a model: a typed array (`<name>.bin`, little endian) or a table (`<name>.json`). */
export const ModelFile = z.object({
  file: z.string().regex(/^[a-zA-Z0-9-]+\.(bin|json)$/),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  arrayType: z.enum(ARRAY_TYPES).optional(),
});

/** What a published model says of itself. */
export const ModelManifest = z.object({
  name: ModelName,
  version: ModelVersion,
  createdAt: z.iso.datetime(),
  /** Hash of the feature definitions that it was trained with; null for models that read none. */
  featureSchema: z.string().nullable(),
  /** First and last event that it saw. */
  dataRange: z.object({ from: z.iso.datetime(), to: z.iso.datetime() }),
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.array(z.number())])),
  metrics: z.record(z.string(), z.number()),
  /** What did the arithmetic: the build of the kernels (`wasm-simd`, `wasm-relaxed-simd`), or `tfjs-node`, `tfjs-wasm`. */
  backend: z.string(),
  /** The gate's verdict, in words. */
  gate: z.object({ passed: z.boolean(), reason: z.string() }),
  files: z.array(ModelFile),
});
export type ModelManifest = z.output<typeof ModelManifest>;
