/**
 * Pages that this process has shown, as they were written: as long as nothing of what they were made of has changed, the same
 * question has the same answer, and only the customer's stamp has to be read. What a page was made of: the customer's record,
 * the model, the factors of new items, the scenario, what the catalogue says of the items it looked at, and the window of time.
 */
import type { Item } from '../../domain/item.ts';
import type { Catalogue } from '../../infra/catalogue.ts';
import type { TallySeries } from '../../infra/resolved-metrics.ts';
import type { Models } from '../../scoring/served.ts';
import { createRecentAnswers } from '../recent-answers.ts';
import type { NewItemsHolder } from './new-items.ts';
import type { Scenario } from './scenarios.ts';

export type ShownPage = {
  subjectIds: readonly string[];
  /** Of their records (`record-codec.ts`), as text; undefined: there was none. */
  stamps: readonly (string | undefined)[];
  scenario: Scenario;
  /** The list of its items as JSON, and the model as JSON. */
  items: string;
  itemsBytes: number;
  modelVersion: string;
  /** What an answer with it adds to which series of the metrics. */
  counted: readonly { of: TallySeries; times: number }[];
};

/** How long a page stays as it is if nothing changes but the time, and with which items of the catalogue. */
export type Lasting = {
  /** Milliseconds since 1970. */
  until: number;
  /** Ids; undefined: any change may bring an item that fits it better. */
  lookedAt: ReadonlySet<string> | undefined;
};

export type ShownPages = {
  /** `question` is the query as it was sent. undefined: it has to be made. What is found holds for records of its stamps alone. */
  find: (question: string, scenario: Scenario, now: number) => ShownPage | undefined;
  /** To be called with what has just been made, before anything else happens in this process. */
  keep: (question: string, page: ShownPage, lasting: Lasting, now: number) => void;
};

type Entry = {
  page: ShownPage;
  until: number;
  served: unknown;
  newItems: unknown;
  revision: number;
  /** What was looked at, and how the catalogue had it: an item is replaced when it changes. */
  lookedAt: readonly string[] | undefined;
  items: readonly (Item | undefined)[];
};

/** What changes with the days must not wait for a change of anything else. */
const keptMs = 5 * 60_000;
/** Bytes, as `createRecentAnswers` counts them. */
const keptBytes = 64 * 2 ** 20;
/** Of an item that was looked at. */
const lookSize = 20;

export function createShownPages(
  models: Pick<Models, 'collaborative'>,
  newItems: Pick<NewItemsHolder, 'current'>,
  catalogue: Pick<Catalogue, 'items' | 'revision'>,
): ShownPages {
  const recent = createRecentAnswers<Entry>(keptBytes);

  function isCurrent(entry: Entry, now: number): boolean {
    if (now >= entry.until || entry.served !== models.collaborative || entry.newItems !== newItems.current)
      return false;
    if (entry.revision === catalogue.revision) return true;
    const same =
      entry.lookedAt?.every((itemId, at) => catalogue.items.get(itemId) === entry.items[at]) ?? false;
    if (same) entry.revision = catalogue.revision;
    return same;
  }

  return {
    find: (question, scenario, now) => {
      const entry = recent.get(question);
      if (entry === undefined) return undefined;
      if (entry.page.scenario === scenario && isCurrent(entry, now)) return entry.page;
      recent.delete(question);
      return undefined;
    },
    keep: (question, page, { until, lookedAt }, now) => {
      const itemIds = lookedAt && [...lookedAt];
      recent.put(
        question,
        {
          page,
          until: Math.min(until, now + keptMs),
          served: models.collaborative,
          newItems: newItems.current,
          revision: catalogue.revision,
          lookedAt: itemIds,
          items: itemIds?.map((itemId) => catalogue.items.get(itemId)) ?? [],
        },
        page.itemsBytes + lookSize * (itemIds?.length ?? 0),
      );
    },
  };
}
