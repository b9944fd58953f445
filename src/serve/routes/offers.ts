/** The offers that there are. */
import { z } from 'zod';
import { budgetLeft } from '../../decide/budget-left.ts';
import { listVersions, readVersion, saveOffers, versionsMax } from '../../decide/offer-versions.ts';
import { AppError, type Fault } from '../../domain/errors.ts';
import { OfferId } from '../../domain/ids.ts';
import {
  Benefit,
  Budget,
  KeptOffer,
  Offer,
  OfferBody,
  OfferVersion,
  SavedOffer,
} from '../../domain/offer.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { budgetFault } from '../../offers/budget-fault.ts';
import { contentVersion } from '../../offers/content-version.ts';
import { knownFeatures, offerSchema } from '../../offers/offer-schema.ts';
import type { Deps } from '../deps.ts';
import { idMismatch } from '../faults.ts';
import { warningOfDeletion, warningsOf } from '../offer-warnings.ts';
import { defineRoute, JSON_TYPE, NDJSON_TYPE } from '../route.ts';

/** In one request. */
const offersMax = 1000;

const params = z.strictObject({ offerId: OfferId });
const OfferAnswer = offerSchema(FEATURE_NAMES).meta({ id: 'Offer' });
const OfferFields = knownFeatures(OfferBody, FEATURE_NAMES).meta({ id: 'OfferFields' });
const OfferList = z.object({ offers: z.array(Offer.meta({ id: 'SavedOffer' })) });

/** An offer that comes twice is named once. */
const SavedAnswer = z.object({
  offers: z.int(),
  saved: z.array(z.object({ offerId: OfferId, offerVersion: OfferVersion })),
  /** Absent where there is none. */
  warnings: SavedOffer.shape.warnings,
});
const Version = z.object({ offerVersion: OfferVersion, savedAt: z.iso.datetime() });
const VersionList = z.object({ versions: z.array(Version) });
const VersionAnswer = Version.extend({ offer: Offer });

const Sum = z.object({ amountMinor: z.int(), count: z.int() });
/** null: without such a limit. */
const Left = z.object({ amountMinor: z.int().min(0).nullable(), count: z.int().min(0).nullable() });
const BudgetAnswer = z
  .object({
    offerId: OfferId,
    budget: Budget,
    /** `total`, or the first day of the day, week or month: `week:2026-11-23`. */
    period: z.string(),
    reserved: Sum,
    confirmed: Sum,
    unbudgeted: Sum,
    remains: Left,
    availableNow: Left,
  })
  .meta({ id: 'OfferBudget' });

const Costing = z.object({ benefit: Benefit, budget: Budget.optional() });

const tags = ['offers'] as const;

export const offerRoutes = [
  defineRoute({
    method: 'GET',
    path: '/offers',
    scope: 'read',
    summary: 'Every offer, by id',
    tags,
    responses: { 200: OfferList },
    problems: [503],
    handler: async (_input, { catalogueStore }) => {
      const offers = await catalogueStore.listOffers();
      return { status: 200, body: { offers: offers.sort(byId) } };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/offers',
    scope: 'manage',
    summary: `Adds or replaces up to ${offersMax} offers`,
    description:
      'A JSON array, or NDJSON with one offer a line. All or nothing: where one offer is not valid, none is taken and ' +
      'every fault is named with its index. An offer that comes twice counts as it came last. `warnings` name what is taken and may ' +
      'be a slip: items, categories and placements that the shop does not have, a budget of another period, or one below what is out of it.',
    tags,
    body: z.array(OfferAnswer).min(1).max(offersMax),
    bodyTypes: [JSON_TYPE, NDJSON_TYPE],
    responses: { 200: SavedAnswer },
    problems: [413, 415, 429, 503],
    check: ({ body }, deps) =>
      (body ?? []).flatMap((offer, at) => budgetFaultOf(offer, `body[${at}].`, deps)),
    handler: async ({ body }, deps) => {
      const before = knownBefore(body, deps);
      const saved = await saveOffers(body, deps.now(), deps);
      return { status: 200, body: { offers: saved.length, saved, ...(await warned(body, before, deps)) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/offers/{offerId}',
    scope: 'read',
    summary: 'One offer',
    tags,
    params,
    responses: { 200: KeptOffer.meta({ id: 'KeptOffer' }) },
    problems: [404, 503],
    handler: async ({ params: { offerId } }, { catalogueStore }) => {
      const offer = await catalogueStore.getOffer(offerId);
      if (offer === undefined) throw noSuchOffer();
      return { status: 200, body: { ...offer, offerVersion: contentVersion(offer) } };
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/offers/{offerId}',
    scope: 'manage',
    summary: 'Adds or replaces an offer',
    description:
      '`warnings` name items, categories and placements that the shop does not have; the offer is saved all the same. What ' +
      'GET answers may be changed and sent back: an `offerVersion` is passed over, for the content makes it.',
    tags,
    params,
    body: OfferFields,
    responses: { 200: SavedOffer },
    problems: [413, 415, 429, 503],
    check: ({ params, body }, deps) => [
      ...idMismatch('offerId', params, body),
      ...budgetFaultOf(body, 'body.', deps),
    ],
    handler: async ({ params: { offerId }, body }, deps) => {
      const { offerVersion: _, ...sent } = body;
      const offer: Offer = { ...sent, offerId };
      const before = knownBefore([offer], deps);
      const [saved] = await saveOffers([offer], deps.now(), deps);
      const offerVersion = saved?.offerVersion ?? contentVersion(offer);
      return { status: 200, body: { ...offer, offerVersion, ...(await warned([offer], before, deps)) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/offers/{offerId}/versions',
    scope: 'read',
    summary: `The versions that an offer has had, newest first; also of one that has been deleted`,
    description: `The same content has the same version. Of an offer that changes often, the last ${versionsMax}.`,
    tags,
    params,
    responses: { 200: VersionList },
    problems: [404, 503],
    handler: async ({ params: { offerId } }, deps) => {
      const versions = await listVersions(offerId, deps);
      if (versions.length === 0) throw noSuchOffer();
      return { status: 200, body: { versions: versions.map(withTime) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/offers/{offerId}/versions/{offerVersion}',
    scope: 'read',
    summary: 'An offer as it was in one of its versions',
    tags,
    params: z.strictObject({ offerId: OfferId, offerVersion: OfferVersion }),
    responses: { 200: VersionAnswer },
    problems: [404, 503],
    handler: async ({ params: { offerId, offerVersion } }, deps) => {
      const saved = await readVersion(offerId, offerVersion, deps);
      if (saved === undefined)
        throw new AppError('NOT_FOUND', { public: 'There is no such version of such an offer.' });
      return { status: 200, body: withTime(saved) };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/offers/{offerId}/budget',
    scope: 'read',
    summary: 'What is out, spent and left of an offer’s budget in its present period',
    description:
      '`reserved` is what offers that are out may still cost at most, `confirmed` what redemptions have cost. `unbudgeted` are ' +
      'redemptions that were told of when their reservation had lapsed and nothing was left. `availableNow` is less than what ' +
      '`remains` while the budget is paced. 404 where the offer has no budget.',
    tags,
    params,
    responses: { 200: BudgetAnswer },
    problems: [404, 503],
    handler: async ({ params: { offerId } }, { catalogueStore, budgets, now }) => {
      const offer = await catalogueStore.getOffer(offerId);
      if (offer === undefined) throw noSuchOffer();
      if (offer.budget === undefined)
        throw new AppError('NOT_FOUND', { public: 'The offer has no budget: it may cost what it does.' });
      const at = now();
      const state = await budgets.state(offer, at);
      return { status: 200, body: { offerId, budget: offer.budget, ...budgetLeft(offer, state, at) } };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/offers/{offerId}',
    scope: 'manage',
    summary: 'Takes an offer back: it is not made again, and standing decisions no longer answer it',
    description:
      'Whom it was made to may redeem it all the same, and a shop of one discount at a time makes them no other one meanwhile: the header ' +
      '`x-warning` says so, and until when.',
    tags,
    params,
    responses: { 204: null },
    problems: [404, 429, 503],
    handler: async ({ params: { offerId } }, { catalogueStore, policy, now }) => {
      const offer = await catalogueStore.getOffer(offerId);
      if (!(await catalogueStore.deleteOffer(offerId, now()))) throw noSuchOffer();
      const warning = offer && warningOfDeletion(offer, policy, now());
      return {
        status: 204,
        body: undefined,
        ...(warning !== undefined && { headers: { 'x-warning': warning } }),
      };
    },
  }),
];

function withTime<V extends { savedAt: number }>(version: V) {
  return { ...version, savedAt: new Date(version.savedAt).toISOString() };
}

/** Of what may have other faults, by which it is refused in any case. */
function budgetFaultOf(offer: unknown, place: string, { market }: Pick<Deps, 'market'>): Fault[] {
  const parsed = Costing.safeParse(offer);
  return parsed.success ? budgetFault(parsed.data, market.known().economics, place) : [];
}

/** To be asked before they are saved. */
function knownBefore(offers: readonly Offer[], { catalogue }: Pick<Deps, 'catalogue'>): Map<string, Offer> {
  return new Map(
    offers.flatMap(({ offerId }) => {
      const known = catalogue.offers.get(offerId);
      return known === undefined ? [] : [[offerId, known]];
    }),
  );
}

async function warned(
  offers: readonly Offer[],
  before: ReadonlyMap<string, Offer>,
  deps: Pick<Deps, 'catalogue' | 'budgets' | 'log' | 'now'>,
) {
  const warnings = await warningsOf(offers, before, deps);
  return warnings.length === 0 ? {} : { warnings };
}

function noSuchOffer(): AppError {
  return new AppError('NOT_FOUND', { public: 'There is no such offer.' });
}

function byId(a: Offer, b: Offer): number {
  return a.offerId < b.offerId ? -1 : a.offerId > b.offerId ? 1 : 0;
}
