/** Products for a page, and what goes with a product. */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { ItemId } from '../../domain/ids.ts';
import type { Deps } from '../deps.ts';
import { Count, list } from '../query.ts';
import { answerRecommendations } from '../recommend/answer-page.ts';
import { Degraded, RecommendationAnswer, RecommendationQuery } from '../recommend/page-schema.ts';
import type { ItemsText } from '../recommend/page-text.ts';
import { Reason } from '../recommend/reasons.ts';
import type { RelatedItems } from '../recommend/recommender.ts';
import type { RelatedKind } from '../recommend/related-items.ts';
import { defineRoute, JsonText } from '../route.ts';

const RelatedAnswer = z
  .object({
    items: z.array(
      z.object({
        itemId: z.string(),
        name: z.string().optional(),
        score: z.number(),
        reasons: z.array(Reason).min(1),
      }),
    ),
    modelVersion: z.string().nullable(),
    degraded: z.boolean(),
    degradedBy: z.array(Degraded),
  })
  .meta({ id: 'RelatedItems' });

function relatedAnswer(related: RelatedItems | undefined, itemsText: ItemsText) {
  if (related === undefined) throw new AppError('NOT_FOUND', { public: 'There is no such item.' });
  const { items, ...rest } = related;
  const tail = JSON.stringify({ ...rest, degraded: related.degradedBy.length > 0 });
  const text = `{"items":${itemsText(items)},${tail.slice(1)}`;
  return { status: 200 as const, body: new JsonText<z.input<typeof RelatedAnswer>>(text) };
}

const tags = ['recommendations'] as const;
const itemParams = z.strictObject({ itemId: ItemId });
const relatedQuery = z.strictObject({
  n: Count,
  category: z.string().min(1).max(200).optional(),
  exclude: list(ItemId, 500).meta({ description: 'Items that are not to be answered' }),
});

function related(
  kind: RelatedKind,
  itemId: string,
  { n, category, exclude }: z.output<typeof relatedQuery>,
  { pages, itemsText }: Pick<Deps, 'pages' | 'itemsText'>,
) {
  const filter = { category, exclude: new Set<string>(exclude) };
  return relatedAnswer(pages.served.recommender.related({ kind, itemId, n, filter }), itemsText);
}

export const recommendationRoutes = [
  defineRoute({
    method: 'GET',
    path: '/recommendations',
    scope: 'read',
    hot: true,
    summary: 'Products for a page',
    description:
      'Anonymous and unknown customers get an answer too. `scenario` says where it is shown (home, product, cart, ' +
      "category, email, confirmation, popular, or the shop's own); an unknown one is refused with the list of those that there are. " +
      '`itemId` and `exclude` may be repeated, or be lists separated by commas. While Redis is away the answer comes ' +
      'from popularity and the page, with `degraded: true`.',
    tags,
    query: RecommendationQuery,
    responses: { 200: RecommendationAnswer },
    check: ({ query: { scenario } }, { scenarios }) =>
      scenario === undefined || scenarios.has(scenario)
        ? []
        : [{ path: 'query.scenario', message: `must be one of: ${[...scenarios.keys()].join(', ')}` }],
    handler: ({ query, search }, deps) =>
      answerRecommendations(query, search, deps).then((body) => ({ status: 200, body })),
  }),
  defineRoute({
    method: 'GET',
    path: '/items/{itemId}/similar',
    scope: 'read',
    summary: 'Items that please the same tastes',
    description:
      'Of an item that nobody has bought yet: those that its content (category, brand, words) is like.',
    tags,
    params: itemParams,
    query: relatedQuery,
    responses: { 200: RelatedAnswer },
    problems: [404],
    handler: ({ params, query }, deps) => related('similar', params.itemId, query, deps),
  }),
  defineRoute({
    method: 'GET',
    path: '/items/{itemId}/bought-together',
    scope: 'read',
    summary: 'Items that are bought in the same basket',
    description: 'Of an item that nobody has bought yet: what is bought with the items most like it.',
    tags,
    params: itemParams,
    query: relatedQuery,
    responses: { 200: RelatedAnswer },
    problems: [404],
    handler: ({ params, query }, deps) => related('boughtTogether', params.itemId, query, deps),
  }),
];
