/** A field that an object does not have is answered with those that it has. */

const thereAre = '; there are: ';

/** `names`: what there is; none: nothing can be said of it. */
export function unknownFieldsSentence(unknown: readonly PropertyKey[], names: readonly string[]): string {
  const sent = `has no ${unknown.map((name) => `"${String(name)}"`).join(', ')}`;
  return names.length === 0
    ? `${sent}: leave it out, or look for a misspelling`
    : `${sent}${thereAre}${names.join(', ')}`;
}

/**
 * Out of such a sentence, `; there are: a, b`; empty, where it is another. The names stand last: a field that was
 * sent may be called anything.
 */
export function fieldsThereAre(message: string): string {
  const at = message.lastIndexOf(thereAre);
  return at === -1 ? '' : message.slice(at);
}
