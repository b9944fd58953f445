import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { followChanges } from '../../src/infra/catalogue-follower.ts';
import type { Redis } from '../../src/infra/redis.ts';
import { eventually } from '../support/eventually.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Answers `rounds` reads with an entry each, and then with nothing until it is disconnected. */
function answering(rounds: number) {
  const replies: WeakRef<object>[] = [];
  const redis = {
    xread: async () => {
      if (replies.length === rounds) return new Promise<never>(() => {});
      const reply = [['changes', [[`${replies.length + 1}-0`, ['kind', 'item', 'id', 'tea-1']]]]];
      replies.push(new WeakRef(reply));
      return reply;
    },
    disconnect: () => {},
  };
  return { redis: redis as unknown as Redis, replies };
}

test('what has been read is let go of, however long it follows; and it stops in the midst of a read', async () => {
  const { redis, replies } = answering(300);
  let told = 0;
  const stop = followChanges(
    redis,
    '0-0',
    { onChange: () => told++, onGap: () => {} },
    {
      changes: 'changes',
      stillThere: async () => true,
      position: async () => '0-0',
      readUpdate: async () => ({ items: [], offers: [], deletedItems: [], deletedOffers: [] }),
    },
  );
  await eventually(() => expect(told).toBe(300));
  await eventually(() => {
    collect();
    // The last may still be held by what waits.
    expect(replies.filter((reply) => reply.deref() !== undefined).length).toBeLessThan(5);
  });
  await stop();
});
