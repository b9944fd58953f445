/** What every import puts into the lake out of its tables, whichever log they were made from. */
import type { NewPart } from './import-options.ts';

/** Start of the names of an import's own files: in `tmp`, and of its parts in the lake; those of what was inferred have their own. */
export const importPrefix = 'import-';

export function eventsPart(query: string): NewPart {
  return {
    table: 'events',
    prefix: importPrefix,
    query,
    key: ['eventId', 'line'],
    orderBy: 'customerId, occurredAt, eventId, line',
  };
}

export const givenItemsPart: NewPart = {
  table: 'items',
  prefix: importPrefix,
  query: 'SELECT * EXCLUDE (pos) FROM givenItems',
  key: ['itemId', 'updatedAt', 'json'],
};
