/**
 * The versions that offers have had, so that a decision of long ago can still be read with the offer as it was. They are
 * kept before an offer changes, and stay when it is deleted; the lake has every one, and fills Redis again.
 */
import { Offer, type OfferVersion } from '../domain/offer.ts';
import type { CatalogueStore } from '../infra/catalogue-store.ts';
import type { Keys } from '../infra/keys.ts';
import { namedScript } from '../infra/named-script.ts';
import type { Redis } from '../infra/redis.ts';
import { contentVersion } from '../offers/content-version.ts';

export type OfferVersionDeps = { redis: Redis; keys: Keys };

/** `savedAt`: when it was first saved, in milliseconds since 1970. */
export type SavedVersion = { offerVersion: OfferVersion; savedAt: number };
export type OfferAsSaved = SavedVersion & { offer: Offer };

/** Of one offer in Redis: the oldest make room. */
export const versionsMax = 1000;

/** The earlier time of a version counts. */
const keepScript = namedScript(
  { keys: ['versions'], args: ['most', 'version', 'savedAt', 'json'] },
  `
local known = redis.call('HGET', versions, version)
if known and tonumber(string.match(known, '^(%d+):')) <= tonumber(savedAt) then return 0 end
redis.call('HSET', versions, version, savedAt .. ':' .. json)
if redis.call('HLEN', versions) > tonumber(most) then
  local oldest, oldestAt
  local all = redis.call('HGETALL', versions)
  for i = 1, #all, 2 do
    local at = tonumber(string.match(all[i + 1], '^(%d+):'))
    if not oldestAt or at < oldestAt then oldest, oldestAt = all[i], at end
  end
  redis.call('HDEL', versions, oldest)
end
return 1
`,
);

/** Saves offers with their versions, and answers these: one for each offer, that which counts. */
export async function saveOffers(
  offers: readonly Offer[],
  at: number,
  deps: OfferVersionDeps & { catalogueStore: Pick<CatalogueStore, 'putOffers'> },
): Promise<{ offerId: string; offerVersion: OfferVersion }[]> {
  const lastOfEach = [...new Map(offers.map((offer) => [offer.offerId, offer])).values()];
  // Before the offers: no decision is to name a version that cannot be read.
  const versions = await keepVersions(lastOfEach, at, deps);
  await deps.catalogueStore.putOffers(lastOfEach, at);
  return lastOfEach.map(({ offerId }, i) => ({ offerId, offerVersion: versions[i] ?? '' }));
}

/** Answers the version of each. */
export async function keepVersions(
  offers: readonly Offer[],
  at: number,
  { redis, keys }: OfferVersionDeps,
): Promise<OfferVersion[]> {
  return await Promise.all(
    offers.map(async (offer) => {
      const version = contentVersion(offer);
      await keepScript(redis, {
        versions: keys.offerVersions(offer.offerId),
        most: versionsMax,
        version,
        savedAt: at,
        json: JSON.stringify(offer),
      });
      return version;
    }),
  );
}

/** The newest first; none for an offer that there never was. */
export async function listVersions(
  offerId: string,
  { redis, keys }: OfferVersionDeps,
): Promise<SavedVersion[]> {
  const saved = Object.entries(await redis.hgetall(keys.offerVersions(offerId)));
  return saved
    .map(([offerVersion, value]) => ({ offerVersion, savedAt: Number.parseInt(value, 10) }))
    .sort((a, b) => b.savedAt - a.savedAt || (a.offerVersion < b.offerVersion ? -1 : 1));
}

/** undefined: it was never saved, has made room, or was saved in a shape that this version does not know. */
export async function readVersion(
  offerId: string,
  offerVersion: OfferVersion,
  { redis, keys }: OfferVersionDeps,
): Promise<OfferAsSaved | undefined> {
  const value = await redis.hget(keys.offerVersions(offerId), offerVersion);
  if (value === null) return undefined;
  const offer = Offer.safeParse(JSON.parse(value.slice(value.indexOf(':') + 1)));
  return offer.success ? { offerVersion, savedAt: Number.parseInt(value, 10), offer: offer.data } : undefined;
}
