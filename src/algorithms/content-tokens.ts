/** What an item's catalogue entry says of it, as tokens: `category:Tea`, `brand:Elm`, `tag:organic`, `word:green`. */

export type ItemContent = {
  category: string;
  brand?: string | undefined;
  name: string;
  description?: string | undefined;
  tags?: readonly string[] | undefined;
};

/** Each token once. Words are runs of letters and digits of at least two, in lower case, those of the name first. */
export function contentTokens({ category, brand, name, description, tags }: ItemContent): string[] {
  const tokens = new Set<string>();
  if (category !== '') tokens.add(`category:${category}`);
  if (brand) tokens.add(`brand:${brand}`);
  for (const tag of tags ?? []) tokens.add(`tag:${tag.toLowerCase()}`);
  const words = [...wordsOf(name), ...wordsOf(description ?? '').slice(0, descriptionWordsMax)];
  for (const word of words) tokens.add(`word:${word}`);
  return [...tokens];
}

/** A description says what it is about at its beginning. */
const descriptionWordsMax = 100;

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
}
