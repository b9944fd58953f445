/** What changed lately, so that whoever has made something of the whole need look at that alone. */

export type RecentChanges = {
  /** To be called with revisions that rise. */
  add: (revision: number, ids: readonly string[]) => void;
  /** Anything may be another since: what changed up to this revision can no longer be told. */
  forget: (revision: number) => void;
  /** Ids of what changed after this revision, the same one more than once perhaps. undefined: that is too long ago. */
  since: (revision: number) => string[] | undefined;
};

/** At most `most` ids are kept, those of the latest change in any case. */
export function createRecentChanges(most: number): RecentChanges {
  let changes: { revision: number; ids: readonly string[] }[] = [];
  let kept = 0;
  let forgotten = 0;
  return {
    add(revision, ids) {
      changes.push({ revision, ids });
      kept += ids.length;
      if (kept <= most) return;
      // Half of them at once: one at a time would move all the others each time.
      let dropped = 0;
      for (const old of changes.slice(0, -1)) {
        if (kept <= most / 2) break;
        kept -= old.ids.length;
        forgotten = old.revision;
        dropped++;
      }
      changes = changes.slice(dropped);
    },
    forget(revision) {
      changes = [];
      kept = 0;
      forgotten = revision;
    },
    since(revision) {
      if (revision < forgotten) return undefined;
      const last = changes.findLastIndex((change) => change.revision <= revision);
      return changes.slice(last + 1).flatMap(({ ids }) => ids);
    },
  };
}
