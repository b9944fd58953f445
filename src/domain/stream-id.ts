/** Ids of a Redis stream: `<milliseconds>-<sequence>`, ever growing. */

export const beforeAllIds = '0-0';

const shape = /^(\d+)-(\d+)$/;

export function compareStreamIds(a: string, b: string): number {
  const [aMs, aSequence] = streamIdParts(a);
  const [bMs, bSequence] = streamIdParts(b);
  return aMs - bMs || aSequence - bSequence;
}

/** Milliseconds since 1970 (of the Redis server's clock) and the sequence within them. */
export function streamIdParts(id: string): [ms: number, sequence: number] {
  const match = shape.exec(id);
  if (match === null) throw new Error(`not a stream id: ${id}`);
  return [Number(match[1]), Number(match[2])];
}

/** The id right after `id`. */
export function nextStreamId(id: string): string {
  const [ms, sequence] = streamIdParts(id);
  return `${ms}-${sequence + 1}`;
}
