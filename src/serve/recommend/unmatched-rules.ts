/** Names in the rules of scenarios that no item answers to: a slip of the pen does nothing, and nobody would notice. */
import type { Item } from '../../domain/item.ts';
import type { Scenarios } from './scenarios.ts';

export type Unmatched = { scenario: string; rule: 'boosts' | 'exclude' | 'pins'; names: string[] };

type Names = Iterable<string> | undefined;

/** Nothing of an empty catalogue: a shop may write its rules first. A name may yet come with a later item. */
export function unmatchedRules(scenarios: Scenarios, items: ReadonlyMap<string, Item>): Unmatched[] {
  if (items.size === 0) return [];
  const categories = new Set<string>();
  const brands = new Set<string | undefined>();
  for (const { category, brand } of items.values()) {
    categories.add(category);
    brands.add(brand);
  }
  const missingOf = (given: { categories?: Names; brands?: Names; itemIds?: Names }) => [
    ...[...(given.categories ?? [])].filter((name) => !categories.has(name)),
    ...[...(given.brands ?? [])].filter((name) => !brands.has(name)),
    ...[...(given.itemIds ?? [])].filter((id) => !items.has(id)),
  ];
  const unmatched: Unmatched[] = [];
  for (const [scenario, { boosts, exclude, pins }] of scenarios) {
    const missing = {
      boosts: boosts.flatMap(missingOf),
      exclude: missingOf(exclude),
      pins: missingOf({ itemIds: pins.map(({ itemId }) => itemId) }),
    };
    for (const rule of ['boosts', 'exclude', 'pins'] as const)
      if (missing[rule].length > 0) unmatched.push({ scenario, rule, names: [...new Set(missing[rule])] });
  }
  return unmatched;
}
