import type { Keys } from '../../src/infra/keys.ts';
import { neverErased, type Tombstones } from '../../src/infra/tombstones.ts';

/** Tombstones of a shop that has erased nobody. */
export function nobodyErased(
  keys: Pick<Keys, 'erasedSubjects'>,
): Pick<Tombstones, 'erasedAt' | 'placeOf' | 'knewEvents'> {
  return {
    erasedAt: async (subjectIds) => subjectIds.map(() => neverErased),
    placeOf: (subjectId) => ({ key: keys.erasedSubjects, field: subjectId }),
    knewEvents: async (events) => events.map(() => false),
  };
}
