/** Query parameters that several routes share. Everything arrives as text, or as a list of it when given twice. */
import { z } from 'zod';

/** How many are wanted: 10 unless said otherwise, at most 100. */
export const Count = z.coerce
  .number<string>({ error: 'must be a whole number from 1 to 100' })
  .int({ error: 'must be a whole number from 1 to 100' })
  .min(1, { error: 'must be at least 1' })
  .max(100, { error: 'must be at most 100' })
  .default(10);

/** `true` or `false`; absent = false. */
export const Flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .default('false')
  .transform((text) => text === 'true');

/** `a=1&a=2` or `a=1,2`; each checked by `element`, at most `max`. */
export function list<T>(element: z.ZodType<T, string>, max: number) {
  return z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((given) =>
      (Array.isArray(given) ? given : [given])
        .flatMap((text) => text.split(','))
        .filter((text) => text !== ''),
    )
    .pipe(z.array(element).max(max))
    .meta({
      param: { style: 'form', explode: true },
      override: {
        type: 'array',
        items: { type: 'string' },
        maxItems: max,
        default: undefined,
        anyOf: undefined,
      },
    });
}
