/** The offers that there are. */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { OfferId } from '../../domain/ids.ts';
import { Offer, OfferBody } from '../../domain/offer.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { knownFeatures, offerSchema } from '../../offers/offer-schema.ts';
import { idMismatch } from '../faults.ts';
import { defineRoute, JSON_TYPE, NDJSON_TYPE } from '../route.ts';

/** In one request. */
const offersMax = 1000;

const params = z.strictObject({ offerId: OfferId });
const OfferAnswer = offerSchema(FEATURE_NAMES).meta({ id: 'Offer' });
const OfferFields = knownFeatures(OfferBody, FEATURE_NAMES).meta({ id: 'OfferFields' });
const OfferList = z.object({ offers: z.array(Offer.meta({ id: 'SavedOffer' })) });

const tags = ['offers'] as const;

export const offerRoutes = [
  defineRoute({
    method: 'GET',
    path: '/offers',
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
    summary: `Adds or replaces up to ${offersMax} offers`,
    description:
      'A JSON array, or NDJSON with one offer a line. All or nothing: where one offer is not valid, none is taken and ' +
      'every fault is named with its index. An offer that comes twice counts as it came last.',
    tags,
    body: z.array(OfferAnswer).min(1).max(offersMax),
    bodyTypes: [JSON_TYPE, NDJSON_TYPE],
    responses: { 200: z.object({ offers: z.int() }) },
    problems: [413, 415, 503],
    handler: async ({ body }, { catalogueStore, now }) => {
      await catalogueStore.putOffers(body, now());
      return { status: 200, body: { offers: new Set(body.map(({ offerId }) => offerId)).size } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/offers/{offerId}',
    summary: 'One offer',
    tags,
    params,
    responses: { 200: Offer },
    problems: [404, 503],
    handler: async ({ params: { offerId } }, { catalogueStore }) => {
      const offer = await catalogueStore.getOffer(offerId);
      if (offer === undefined) throw noSuchOffer();
      return { status: 200, body: offer };
    },
  }),
  defineRoute({
    method: 'PUT',
    path: '/offers/{offerId}',
    summary: 'Adds or replaces an offer',
    tags,
    params,
    body: OfferFields,
    responses: { 200: Offer },
    problems: [413, 415, 503],
    check: ({ params, body }) => idMismatch('offerId', params, body),
    handler: async ({ params: { offerId }, body }, { catalogueStore, now }) => {
      const offer: Offer = { ...body, offerId };
      await catalogueStore.putOffers([offer], now());
      return { status: 200, body: offer };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/offers/{offerId}',
    summary: 'Takes an offer back: it is not made again, and standing decisions no longer answer it',
    tags,
    params,
    responses: { 204: null },
    problems: [404, 503],
    handler: async ({ params: { offerId } }, { catalogueStore, now }) => {
      if (!(await catalogueStore.deleteOffer(offerId, now()))) throw noSuchOffer();
      return { status: 204, body: undefined };
    },
  }),
];

function noSuchOffer(): AppError {
  return new AppError('NOT_FOUND', { public: 'There is no such offer.' });
}

function byId(a: Offer, b: Offer): number {
  return a.offerId < b.offerId ? -1 : a.offerId > b.offerId ? 1 : 0;
}
