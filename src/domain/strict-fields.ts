/** Objects that have just the fields that are named, and say so. */
import { z } from 'zod';

const thereAre = '; there are: ';

/** An object of just these fields; one that has others is told which there are. */
export function strictFields<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `has no ${issue.keys.map((key) => `"${key}"`).join(', ')}${thereAre}${names}`
        : undefined,
  });
}

/**
 * Out of such an object's message, `; there are: a, b`; empty, where it is another's. The names stand last: a field that was
 * sent may be called anything.
 */
export function fieldsThereAre(message: string): string {
  const at = message.lastIndexOf(thereAre);
  return at === -1 ? '' : message.slice(at);
}
