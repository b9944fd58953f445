/** What is taken as it is, and yet may be a slip of the pen: margins that no price has, categories that are one but for their spelling. */
import { z } from 'zod';
import type { Item } from '../domain/item.ts';
import type { Deps } from './deps.ts';

export const ItemWarnings = z
  .array(z.object({ itemId: z.string(), path: z.string(), message: z.string() }))
  .meta({ id: 'ItemWarnings' });
type ItemWarning = z.output<typeof ItemWarnings>[number];

type Catalogue = Pick<Deps['catalogue'], 'items'>;

/** A thousand items of a category that is misspelt are one slip, not a thousand. */
const warningsMax = 10;
/** How long what a catalogue spells is taken to be the same: to look through a million items at each one that is put would take longer than to put it. */
const spellingsKeptMs = 60_000;

const kept = new WeakMap<Catalogue, { at: number; spellings: Map<string, string> }>();

/** `now` in milliseconds since 1970. */
export function itemWarnings(saved: readonly Item[], catalogue: Catalogue, now: number): ItemWarning[] {
  const known = spellingsOf(catalogue, now);
  const warnings: ItemWarning[] = [];
  for (const { itemId, category, priceMinor, marginMinor } of saved) {
    if (marginMinor !== undefined && priceMinor !== undefined && marginMinor > priceMinor)
      warnings.push({
        itemId,
        path: 'marginMinor',
        message: `is above priceMinor (${marginMinor} of ${priceMinor}): both are minor units per piece, and offers take it for the whole price`,
      });
    const name = plain(category);
    const other = known.get(name);
    if (category !== '' && other !== undefined && other !== category)
      warnings.push({
        itemId,
        path: 'category',
        message: `"${category}" and "${other}" differ by case or spaces alone, and are two categories: spell them alike if they are one`,
      });
    // A catalogue comes in many requests, sooner than the copy of it.
    else known.set(name, category);
  }
  if (warnings.length <= warningsMax) return warnings;
  const rest = warnings.length - warningsMax;
  return [...warnings.slice(0, warningsMax), { itemId: '', path: '', message: `and ${rest} more` }];
}

/** Of each category that the catalogue has, or this process was told of since, one spelling. */
function spellingsOf(catalogue: Catalogue, now: number): Map<string, string> {
  const last = kept.get(catalogue);
  if (last !== undefined && now - last.at < spellingsKeptMs) return last.spellings;
  const categories = new Set<string>();
  for (const { category } of catalogue.items.values()) categories.add(category);
  const spellings = new Map([...categories].map((category) => [plain(category), category]));
  kept.set(catalogue, { at: now, spellings });
  return spellings;
}

function plain(category: string): string {
  return category.trim().replace(/\s+/g, ' ').toLowerCase();
}
