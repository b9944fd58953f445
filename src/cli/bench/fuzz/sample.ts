/** Values that a JSON Schema admits, drawn at random: what a valid request is made of before it is spoilt. */
import type { Rng } from '../../../algorithms/rng.ts';

/** The words of JSON Schema that an OpenAPI document of ours uses. */
export type Schema = {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: readonly unknown[];
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  allOf?: readonly Schema[];
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  default?: unknown;
};

export type Sampler = {
  /** `name`: of the property or parameter, by which ids that exist are found. */
  sample: (schema: Schema, rng: Rng, name?: string) => unknown;
};

/** Text that one pattern or another of the document wants; the first that fits is taken. */
const texts = [
  'a1',
  'home',
  'tea',
  'read',
  '2026-01-01',
  '2026-01-01T10:00:00Z',
  'EUR',
  'Europe/Berlin',
  '12:30',
  '20260101T000000Z-0123abcd',
  '0123456789ab',
  'batch-0123456789abcdef',
  'model.bin',
  'rule:x',
  '0123456789abcdef'.repeat(4),
];

const deepest = 6;

/** `pools`: values to take for properties of these names, so that requests meet what is there. */
export function createSampler(
  schemas: Readonly<Record<string, Schema>>,
  pools: Readonly<Record<string, readonly unknown[]>>,
): Sampler {
  function sample(schema: Schema, rng: Rng, name: string, depth: number): unknown {
    const pool = Object.hasOwn(pools, name) ? pools[name] : undefined;
    if (pool !== undefined && rng.chance(0.9)) return pick(pool, rng);
    if (schema.$ref !== undefined) return sample(resolved(schema), rng, name, depth);
    if ('const' in schema) return schema.const;
    if (schema.enum !== undefined) return pick(schema.enum, rng);
    if (schema.default !== undefined && rng.chance(0.2)) return schema.default;
    const branches = schema.anyOf ?? schema.oneOf;
    if (branches !== undefined) return sample(pick(branches, rng), rng, name, depth);
    if (schema.allOf !== undefined) return sample(merged(schema.allOf.map(resolved)), rng, name, depth);
    const type = Array.isArray(schema.type) ? pick(schema.type, rng) : schema.type;
    switch (type) {
      case 'object':
        return objectOf(schema, rng, depth);
      case 'array':
        return arrayOf(schema, rng, name, depth);
      case 'integer':
      case 'number':
        return numberOf(schema, rng, type === 'integer');
      case 'boolean':
        return rng.chance(0.5);
      case 'null':
        return null;
      case 'string':
        return textOf(schema, rng);
      default:
        return pick(['a1', 1, true], rng);
    }
  }

  function resolved(schema: Schema): Schema {
    return schema.$ref === undefined ? schema : (schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  }

  function objectOf(schema: Schema, rng: Rng, depth: number): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const required = schema.required?.includes(name) === true;
      // What is known by name is what several fields ask for one of.
      const likely = Object.hasOwn(pools, name) ? 0.8 : 0.4;
      if (required || (depth < deepest && rng.chance(likely)))
        value[name] = sample(property, rng, name, depth + 1);
    }
    const others = schema.additionalProperties;
    if (typeof others === 'object' && depth < deepest)
      for (let n = rng.nextInt(3); n > 0; n--)
        value[String(sample(schema.propertyNames ?? { type: 'string' }, rng, '', depth))] = sample(
          others,
          rng,
          '',
          depth + 1,
        );
    return value;
  }

  function arrayOf(schema: Schema, rng: Rng, name: string, depth: number): unknown[] {
    const least = schema.minItems ?? 0;
    const most = Math.min(schema.maxItems ?? 3, least + 3);
    const length = depth > deepest ? least : least + rng.nextInt(Math.max(1, most - least + 1));
    return Array.from({ length }, () => sample(schema.items ?? {}, rng, name.replace(/s$/, ''), depth + 1));
  }

  return { sample: (schema, rng, name = '') => sample(schema, rng, name, 0) };
}

/** What all of them ask for; of two words alike, the later one's. */
function merged(parts: readonly Schema[]): Schema {
  return Object.assign({}, ...parts, {
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
    required: parts.flatMap(({ required = [] }) => required),
  });
}

function numberOf(schema: Schema, rng: Rng, whole: boolean): number {
  const step = whole ? 1 : 0.01;
  const least =
    schema.minimum ?? (schema.exclusiveMinimum === undefined ? 0 : schema.exclusiveMinimum + step);
  const most =
    schema.maximum ?? (schema.exclusiveMaximum === undefined ? least + 1000 : schema.exclusiveMaximum - step);
  // Most numbers are small, and the bounds themselves are worth a try.
  const edge = rng.next();
  if (edge < 0.05) return least;
  if (edge < 0.1) return most;
  const value = Math.max(least, 0) + rng.next() * Math.min(most - Math.max(least, 0), 1000);
  return whole ? Math.floor(value) : value;
}

function textOf(schema: Schema, rng: Rng): string {
  const { pattern, minLength = 0, maxLength = 100 } = schema;
  if (schema.format === 'date-time') return new Date(1.76e12 + Math.floor(rng.next() * 1e10)).toISOString();
  if (schema.format === 'date')
    return new Date(1.76e12 + Math.floor(rng.next() * 1e10)).toISOString().slice(0, 10);
  const fits = (text: string) =>
    text.length >= minLength &&
    text.length <= maxLength &&
    (pattern === undefined || new RegExp(pattern, 'u').test(text));
  const start = rng.nextInt(texts.length);
  const found = [...texts.slice(start), ...texts.slice(0, start)].find(fits);
  return found ?? 'x'.repeat(Math.max(1, minLength));
}

export function pick<T>(values: readonly T[], rng: Rng): T {
  const value = values[rng.nextInt(values.length)];
  return value as T;
}
