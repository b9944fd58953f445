import { expect, test } from 'vitest';
import { keepVersions, listVersions, readVersion, versionsMax } from '../../src/decide/offer-versions.ts';
import { makeOffer, noon } from '../support/offers.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();
const deps = { redis, keys };

test('a version has the time at which it was first saved, in whatever order it is told of', async () => {
  const offer = makeOffer({ offerId: 'timed' });
  const [version = ''] = await keepVersions([offer], noon, deps);
  await keepVersions([offer], noon + 5, deps);
  expect(await listVersions('timed', deps)).toEqual([{ offerVersion: version, savedAt: noon }]);
  // As the lake tells it, which knows longer.
  await keepVersions([offer], noon - 5, deps);
  expect(await readVersion('timed', version, deps)).toEqual({
    offerVersion: version,
    savedAt: noon - 5,
    offer,
  });
});

test('of an offer that changes without end the oldest versions make room', async () => {
  const versions: string[] = [];
  for (let v = 0; v < versionsMax + 3; v++) {
    const offer = makeOffer({ offerId: 'busy', name: `version ${v}` });
    versions.push(...(await keepVersions([offer], noon + v, deps)));
  }
  const kept = await listVersions('busy', deps);
  expect(kept.map(({ offerVersion }) => offerVersion)).toEqual(versions.slice(3).reverse());
});
