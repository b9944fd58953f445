import { z } from 'zod';

/** An object of just these fields; one that has others is told which there are. */
export function strictFields<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `has no ${issue.keys.map((key) => `"${key}"`).join(', ')}; there are: ${names}`
        : undefined,
  });
}
