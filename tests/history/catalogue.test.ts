import { expect, test } from 'vitest';
import { offerChanges, savedOffers } from '../../src/history/catalogue.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { testLake } from '../support/lake.ts';
import { makeOffer, noon } from '../support/offers.ts';

test('every content that an offer has had is there once, with its first time, also of a deleted one', async () => {
  const lake = await testLake();
  const [one, two] = ['one', 'two'].map((name) => makeOffer({ offerId: 'a', name }));
  const saved = (offer = one!, at: number) => ({ kind: 'offer', offer, at }) as const;
  const none = { events: [], decisions: [] };
  await writeEntries(lake, 'stream-1-0-1-1', {
    ...none,
    catalogue: [saved(one, noon), saved(two, noon + 1)],
  });
  const deleted = { kind: 'offerDeleted', offerId: one!.offerId, at: noon + 3 } as const;
  await writeEntries(lake, 'stream-2-0-2-1', { ...none, catalogue: [saved(one, noon + 2), deleted] });
  const changes = [];
  for await (const batch of offerChanges(lake)) changes.push(...batch);
  expect(changes.map(({ at, offer }) => [at - noon, offer?.name])).toEqual([
    [0, 'one'],
    [1, 'two'],
    [2, 'one'],
    [3, undefined],
  ]);
  const found = [];
  for await (const batch of savedOffers(lake)) found.push(...batch);
  expect(found.sort((a, b) => a.at - b.at)).toEqual([
    { offer: one, at: noon },
    { offer: two, at: noon + 1 },
  ]);
});
