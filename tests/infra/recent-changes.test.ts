import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRecentChanges } from '../../src/infra/recent-changes.ts';

test('what changed after a revision, and nothing that changed before', () => {
  const changes = createRecentChanges(100);
  changes.add(3, ['a']);
  changes.add(5, ['b', 'c']);
  changes.add(6, ['a']);
  expect(changes.since(2)).toEqual(['a', 'b', 'c', 'a']);
  expect(changes.since(3)).toEqual(['b', 'c', 'a']);
  expect(changes.since(4)).toEqual(['b', 'c', 'a']);
  expect(changes.since(6)).toEqual([]);
});

test('when all was loaded anew, what changed before cannot be told', () => {
  const changes = createRecentChanges(100);
  changes.add(1, ['a']);
  changes.forget(2);
  expect(changes.since(1)).toBeUndefined();
  changes.add(3, ['b']);
  expect(changes.since(1)).toBeUndefined();
  expect(changes.since(2)).toEqual(['b']);
});

test('however little is kept, it tells all that changed or that it cannot, and it keeps the latest', () => {
  const steps = fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }), { maxLength: 40 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 12 }), (changed, most) => {
      const changes = createRecentChanges(most);
      const told = changed.map((ids) => ids.map(String));
      for (const [at, ids] of told.entries()) changes.add(at + 1, ids);
      for (let revision = 0; revision <= told.length; revision++) {
        const found = changes.since(revision);
        if (found !== undefined) expect(found).toEqual(told.slice(revision).flat());
      }
      if (told.length > 0) expect(changes.since(told.length - 1)).toEqual(told.at(-1));
      const kept = changes.since(told.length - 2)?.length ?? 0;
      expect(kept - (told.at(-1)?.length ?? 0)).toBeLessThanOrEqual(most);
    }),
  );
});
