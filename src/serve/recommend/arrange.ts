/**
 * From a ranked list to the list that is shown, by a scenario's rules, one after the other: boosts, rotation, diversity,
 * places for new items, pins. Pure: the same candidates, rules, seed and window of time give the same list.
 */
import { boosted, boostFactor } from './arrange-boosts.ts';
import { diversify } from './arrange-diversity.ts';
import { rotate, uniformOf, windowEnd, windowOf } from './arrange-rotation.ts';
import { isInForce, type Pin } from './arrange-rules.ts';
import type { Scenario } from './scenarios.ts';

export type Candidate = {
  itemId: string;
  /** Higher ranks first; ≥ 0. 0: fills up, and takes no part in the rotation. */
  score: number;
  /** '' = unknown. */
  category: string;
  brand: string;
  /** Margin over price, where both are known. */
  marginShare: number | undefined;
  /** The item's factors. */
  vector: Float32Array | undefined;
};

export const ARRANGE_RULES = ['boosts', 'rotation', 'diversity', 'newItems', 'pins'] as const;
export type ArrangeRule = (typeof ARRANGE_RULES)[number];

/** A rule changed an item's place; places from 1. Without `from` it was not in the list before. */
export type Move = { rule: ArrangeRule; from?: number; to: number; factor?: number };

export type Arranged<Item> = {
  item: Item;
  /** With its boosts. */
  score: number;
  /** Product of the boosts. */
  factor: number;
  /** In the order of the rules; `to` of the last one is not its final place where others were put above it later. */
  moves: Move[];
  /** A pin holds its place. */
  isPinned: boolean;
};

export type ArrangeRules = Pick<Scenario, 'boosts' | 'rotation' | 'diversity' | 'newItems' | 'pins'>;

export type ArrangeRequest<Item> = {
  n: number;
  /** Milliseconds since 1970. */
  now: number;
  /** Whose page it is: the same seed sees the same list until the window of time is over. */
  seed: string;
  /** false: one category was asked for, which cannot be too much. */
  capCategories: boolean;
  /** New items for the places that they have, best first; none of them is among the candidates. */
  newcomers: readonly Item[];
  /** The item of a pin; undefined: it may not be shown. */
  pinned: (pin: Pin) => Item | undefined;
};

/** Where new items stand while a scenario has no rotation. */
const defaultWindow = { everyHours: 24 };

/** At most n of the candidates (best first), as they are to be shown. */
export function arrange<Item extends Candidate>(
  candidates: readonly Item[],
  rules: ArrangeRules,
  request: ArrangeRequest<Item>,
): Arranged<Item>[] {
  const { n, now } = request;
  let list = candidates.map((item): Entry<Item> => entryOf(item, boostFactor(rules.boosts, item, now)));
  if (list.some(({ factor }) => factor !== 1)) {
    const byScore = [...list].sort((a, b) => b.score - a.score);
    list = moved('boosts', list, byScore);
  }
  const seed = `${request.seed} ${windowOf(rules.rotation ?? defaultWindow, now)}`;
  if (rules.rotation !== undefined) list = moved('rotation', list, rotate(list, rules.rotation, seed));

  const newcomers = newcomersOf(rules, request, seed);
  const room = n - newcomers.length;
  const { maxPerCategory, ...diversity } = rules.diversity;
  const caps =
    request.capCategories && maxPerCategory !== undefined ? { ...diversity, maxPerCategory } : diversity;
  list = moved('diversity', list, diversify(list, caps, room));

  if (newcomers.length > 0) list = moved('newItems', list, withNewcomers(list, newcomers, n));
  const pins = rules.pins.filter((pin) => pin.position <= n && isInForce(pin, now));
  const placed = placesOf(pins, list, request.pinned);
  if (placed.size > 0) list = moved('pins', list, withPins(list, placed)).slice(0, n);
  return list.map(({ item, itemId, score, factor, moves }) => ({
    item,
    score,
    factor,
    moves,
    isPinned: placed.has(itemId),
  }));
}

/** Until when the same candidates stay in the same order if only time passes: milliseconds since 1970. */
export function arrangedUntil(rules: ArrangeRules, now: number): number {
  const { rotation, newItems, boosts, pins } = rules;
  const turns =
    rotation !== undefined || newItems !== undefined ? [windowEnd(rotation ?? defaultWindow, now)] : [];
  const limits = [...boosts, ...pins].flatMap(({ from, until }) => [from ?? 0, until ?? 0]);
  return Math.min(...turns, ...limits.filter((at) => at > now));
}

/** The item's own fields stand beside it, for the rules to read. */
type Entry<Item> = Candidate & {
  item: Item;
  factor: number;
  moves: Move[];
  /** Before the rule that is at work; 0: not in the list. */
  place: number;
};

function entryOf<Item extends Candidate>(item: Item, factor: number): Entry<Item> {
  const { itemId, category, brand, marginShare, vector } = item;
  const score = factor === 1 ? item.score : boosted(item.score, factor);
  return { itemId, category, brand, marginShare, vector, score, item, factor, moves: [], place: 0 };
}

/** Notes for each item of `after` whether its place is another than in `before`. */
function moved<Item>(rule: ArrangeRule, before: Entry<Item>[], after: Entry<Item>[]): Entry<Item>[] {
  for (let at = 0; at < before.length; at++) before[at]!.place = at + 1;
  for (let at = 0; at < after.length; at++) {
    const entry = after[at]!;
    const from = entry.place;
    const to = at + 1;
    if (from === to) continue;
    const move: Move = from === 0 ? { rule, to } : { rule, from, to };
    if (rule === 'boosts' && entry.factor !== 1) move.factor = entry.factor;
    entry.moves.push(move);
  }
  return after;
}

/** So many new items as the share allows: what is left of a whole one is a matter of chance, so that short lists have some too. */
function newcomersOf<Item extends Candidate>(
  { newItems, rotation }: ArrangeRules,
  { n, newcomers }: ArrangeRequest<Item>,
  seed: string,
): Entry<Item>[] {
  if (newItems === undefined || newcomers.length === 0) return [];
  const places = Math.floor(n * newItems.share + uniformOf(seed, 'new items'));
  if (places === 0) return [];
  const entries = newcomers.map((item) => entryOf(item, 1));
  const order = rotation === undefined ? entries : rotate(entries, { ...rotation, keepTop: 0 }, seed);
  return order.slice(0, places);
}

/** In the middle of equal stretches of the list. */
function withNewcomers<Item>(
  list: readonly Entry<Item>[],
  newcomers: readonly Entry<Item>[],
  n: number,
): Entry<Item>[] {
  const result = [...list];
  newcomers.forEach((entry, at) => {
    result.splice(Math.floor(((at + 0.5) * n) / newcomers.length), 0, entry);
  });
  return result;
}

type Placed<Item> = ReadonlyMap<string, { position: number; entry: Entry<Item> }>;

/** The pins whose items may be shown, from the top; of two for one item the upper one counts. */
function placesOf<Item extends Candidate>(
  pins: readonly Pin[],
  list: readonly Entry<Item>[],
  pinned: (pin: Pin) => Item | undefined,
): Placed<Item> {
  const placed = new Map<string, { position: number; entry: Entry<Item> }>();
  for (const pin of [...pins].sort((a, b) => a.position - b.position)) {
    const { itemId, position } = pin;
    const item = placed.has(itemId) ? undefined : pinned(pin);
    if (item === undefined) continue;
    placed.set(itemId, {
      position,
      entry: list.find((entry) => entry.itemId === itemId) ?? entryOf(item, 1),
    });
  }
  return placed;
}

function withPins<Item extends Candidate>(list: readonly Entry<Item>[], placed: Placed<Item>): Entry<Item>[] {
  const result = list.filter(({ itemId }) => !placed.has(itemId));
  let lowest = 0;
  for (const { position, entry } of placed.values()) {
    lowest = Math.max(position, lowest + 1);
    result.splice(lowest - 1, 0, entry);
  }
  return result;
}
