/** How a process learns of every change of the catalogue: it reads the stream on, and notices what it has missed. */
import type { Item } from '../domain/item.ts';
import type { Offer } from '../domain/offer.ts';
import { type CatalogueKind, changeOf } from './catalogue-entries.ts';
import type { Redis } from './redis.ts';

export type CatalogueBatch = { items: Item[]; offers: Offer[] };

/** Entries as they are now, and ids of what is gone. */
export type CatalogueUpdate = CatalogueBatch & { deletedItems: string[]; deletedOffers: string[] };

export type CatalogueFollower = {
  onChange: (update: CatalogueUpdate) => void;
  /** Changes were missed (the stream is capped, or Redis lost it): load everything again. */
  onGap: () => void | Promise<void>;
  /** A failed read; it is tried again. */
  onError?: (err: unknown) => void;
};

/** What following needs of the store. */
type FollowedStream = {
  /** Key of the stream of changes. */
  changes: string;
  stillThere: (id: string) => Promise<boolean>;
  position: () => Promise<string>;
  readUpdate: (changed: readonly { kind: CatalogueKind; id: string }[]) => Promise<CatalogueUpdate>;
};

/** Changes that are read at a time. */
const batchSize = 500;
const blockMs = 2000;

/** Follows until the answered function is called, which closes `blocking`. */
export function followChanges(
  blocking: Redis,
  from: string,
  { onChange, onGap, onError }: CatalogueFollower,
  { changes, stillThere, position, readUpdate }: FollowedStream,
): () => Promise<void> {
  let stopped = false;
  let after = from;
  // Closing ends a read that waits, but not one on a cluster, whose client would ask another node. A promise for each read: one for all,
  // raced against each, would keep every reply for as long as it is not settled, which is for ever.
  let giveUp: (reason: Error) => void = () => {};
  const orGivenUp = <T>(read: Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      giveUp = reject;
      read.then(resolve, reject);
    });
  const round = async () => {
    const read = blocking.xread('COUNT', batchSize, 'BLOCK', blockMs, 'STREAMS', changes, after);
    const reply = await orGivenUp(read);
    const rows = reply?.[0]?.[1] ?? [];
    // After the read: had entries been cut off before it, the last one known would be gone too.
    if ((rows.length === 0 || rows.length === batchSize) && !(await stillThere(after))) {
      after = await position();
      await onGap();
      return;
    }
    const changed = rows.map(([, fields]) => changeOf(fields)).filter((change) => change !== undefined);
    if (changed.length > 0) onChange(await readUpdate(changed));
    after = rows.at(-1)?.[0] ?? after;
  };
  const loop = async () => {
    while (!stopped) {
      try {
        await round();
      } catch (err) {
        if (stopped) return;
        onError?.(err);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  };
  const running = loop();
  return async () => {
    stopped = true;
    giveUp(new Error('stopped'));
    blocking.disconnect();
    await running;
  };
}
