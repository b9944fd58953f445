/** Everybody's scores for a CRM: filtered, sorted, page by page; contact only where it is allowed. */
import { z } from 'zod';
import { RISK_BANDS, VALUE_TIERS } from '../../algorithms/customer-value/bands.ts';
import { RFM_SEGMENTS } from '../../algorithms/customer-value/rfm-segment.ts';
import { CHANNELS, Channel, LOYALTY_TIERS } from '../../domain/channel.ts';
import type { CustomerRecord } from '../../features/record.ts';
import { outlastRedis } from '../../infra/outlast-redis.ts';
import { mayAddress } from '../../offers/may-address.ts';
import { decodeCursor, encodeCursor, questionHash } from '../customers/cursor.ts';
import { formatOf, headOf, LIST_FORMATS, type ListFormat, lineOf } from '../customers/list-format.ts';
import { CUSTOMER_SORTS, type ScoredCustomer, type ScorePage } from '../customers/score-reader.ts';
import { whyEmpty } from '../customers/why-empty.ts';
import type { Deps } from '../deps.ts';
import { firstFetched } from '../first-fetched.ts';
import { list } from '../query.ts';
import { defineRoute } from '../route.ts';

const limitMax = 10_000;
const limitError = `must be a whole number from 1 to ${limitMax}`;
/** Records that are asked for at once: an answer is written while the next ones are on their way. */
const recordsAtOnce = 250;

/** A number that is written out: nothing at all is none, and not 0. */
function given(min: number, max: number, error: string, type: 'number' | 'integer') {
  return z
    .string()
    .regex(type === 'integer' ? /^-?\d{1,16}$/ : /^\d{1,16}(\.\d{1,20})?$/, error)
    .transform(Number)
    .pipe(z.number().min(min, error).max(max, error))
    .meta({ override: { type, minimum: min, maximum: max, pattern: undefined } });
}

const share = given(0, 1, 'must be a number from 0 to 1, such as 0.7', 'number');
const minor = given(-1e15, 1e15, 'must be a whole number of minor units', 'integer');

const rfmSegments = list(
  z.enum(RFM_SEGMENTS, {
    error: `must be an RFM segment (not the shop's own): ${RFM_SEGMENTS.join(', ')}`,
  }),
  RFM_SEGMENTS.length,
);

const ListQuery = z.strictObject({
  rfmSegment: rfmSegments.meta({ description: 'RFM segments; none = all' }),
  // Elsewhere a segment is the shop's own; here it was the first name of the filter.
  segment: rfmSegments.meta({ description: 'Another name of `rfmSegment`', deprecated: true }),
  riskAbove: share.optional().meta({ description: 'Churn risk above this' }),
  valueAbove: minor.optional().meta({ description: 'Value above this, in minor units' }),
  channel: Channel.optional().meta({
    description:
      'Only those whom the shop may address there, by the night and at this moment: email and phone need their consent, elsewhere they have not withdrawn it',
  }),
  sort: z
    .enum(CUSTOMER_SORTS)
    .default('risk')
    .meta({ description: 'risk, value and valueAtRisk: highest first; nextPurchase: soonest first' }),
  limit: z.coerce
    .number<string>({ error: limitError })
    .int({ error: limitError })
    .min(1, { error: limitError })
    .max(limitMax, { error: limitError })
    .default(1000)
    .meta({ description: 'Customers on a page' }),
  cursor: z.string().min(1).max(1000).optional().meta({ description: 'x-next-cursor of the page before' }),
  format: z.enum(Object.keys(LIST_FORMATS) as [ListFormat, ...ListFormat[]]).optional(),
});

/** One line of the list. What a model does not tell is null. */
const ListedCustomer = z
  .object({
    customerId: z.string(),
    rfmSegment: z.enum(RFM_SEGMENTS).nullable(),
    risk: z.number().min(0).max(1).nullable(),
    riskHorizonDays: z.number().nullable(),
    riskBand: z.enum(RISK_BANDS).nullable(),
    valueMinor: z.number().nullable(),
    valueLowMinor: z.number().nullable(),
    valueHighMinor: z.number().nullable(),
    valueHorizonDays: z.number().nullable(),
    expectedPurchases: z.number().nullable(),
    valueTier: z.enum(VALUE_TIERS).nullable(),
    nextPurchaseAt: z.iso.datetime().nullable(),
    nextPurchaseEarliestAt: z.iso.datetime().nullable(),
    nextPurchaseLatestAt: z.iso.datetime().nullable(),
    lastOrderAt: z.iso.datetime().nullable(),
    orders: z.int(),
    spendMinor: z.number(),
    /** As of this moment, not of the night. */
    consent: z.array(z.enum(CHANNELS)),
    loyaltyTier: z.enum(LOYALTY_TIERS).nullable(),
    /** The shop's own. */
    segment: z.string().nullable(),
  })
  .meta({ id: 'ListedCustomer' });
type ListedCustomer = z.output<typeof ListedCustomer>;
const columns = Object.keys(ListedCustomer.shape);

export const customerListRoute = defineRoute({
  method: 'GET',
  path: '/customers',
  scope: 'read',
  summary: 'Customers by segment, risk and value, for a CRM: NDJSON or CSV',
  description:
    'Scores are those of the last run of `score-customers`; consent, loyalty tier and segment are of this moment: whoever has ' +
    'withdrawn since is left out of a list for a channel, which makes a page that much shorter. The header ' +
    '`x-next-cursor` (and `link`, rel="next") leads to the next page; without it this was the last. Pages with a cursor go ' +
    'through the same scores, however many come in meanwhile; 410 once those are no longer kept, 409 where nobody has been scored yet. ' +
    'Where nobody is on a first page, the header `x-warning` says why.',
  tags: ['customers'],
  query: ListQuery,
  answerType: LIST_FORMATS.ndjson,
  moreAnswerTypes: [LIST_FORMATS.csv],
  responses: { 200: ListedCustomer },
  problems: [409, 410, 429, 503],
  handler: async ({ query, accept }, deps) => {
    const { cursor, limit, format: asked, ...filters } = query;
    const question = questionHash(filters);
    const page = await deps.scores.page({
      segments: [...query.rfmSegment, ...query.segment],
      riskAbove: query.riskAbove,
      valueAbove: query.valueAbove,
      channel: query.channel,
      sort: query.sort,
      limit,
      after: cursor === undefined ? undefined : decodeCursor(cursor, question),
    });
    const format = formatOf(asked, accept);
    const lines = linesOf(page, query.channel, format, deps);
    const body = await firstFetched(lines);
    const warning = page.alone && whyEmpty(page.snapshot, page.alone, query);
    const next = page.next && encodeCursor({ snapshot: page.snapshot.id, question, ...page.next });
    return {
      status: 200,
      type: `${LIST_FORMATS[format]}; charset=utf-8`,
      headers: {
        'x-scored-at': page.snapshot.scoredAt,
        ...(warning !== undefined && { 'x-warning': warning }),
        ...(next !== undefined && {
          'x-next-cursor': next,
          link: `<${nextLink(query, next)}>; rel="next"`,
        }),
      },
      body,
    };
  },
});

async function* linesOf(
  { rows, release }: ScorePage,
  channel: Channel | undefined,
  format: ListFormat,
  { records }: Pick<Deps, 'records'>,
): AsyncGenerator<string, undefined> {
  try {
    let text = headOf(format, columns);
    for (let start = 0; start < rows.length; start += recordsAtOnce) {
      const some = rows.slice(start, start + recordsAtOnce);
      const readSome = () => records.readMany(some.map(({ customerId }) => customerId));
      const read = await (start === 0 ? readSome() : outlastRedis(readSome));
      some.forEach((row, n) => {
        const record = read[n];
        // Erased since the night, or not allowed any more.
        if (record === undefined) return;
        if (channel !== undefined && !mayAddress(record.attributes, channel)) return;
        text += lineOf(format, columns, listed(row, record));
      });
      yield text;
      text = '';
    }
    if (text !== '') yield text;
  } finally {
    release();
  }
}

function listed(row: ScoredCustomer, { attributes }: CustomerRecord): ListedCustomer {
  const at = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    customerId: row.customerId,
    rfmSegment: row.rfmSegment as ListedCustomer['rfmSegment'],
    risk: row.risk,
    riskHorizonDays: row.horizonDays,
    riskBand: row.riskBand as ListedCustomer['riskBand'],
    valueMinor: row.valueMinor,
    valueLowMinor: row.lowMinor,
    valueHighMinor: row.highMinor,
    valueHorizonDays: row.valueHorizonDays,
    expectedPurchases: row.expectedPurchases,
    valueTier: row.valueTier as ListedCustomer['valueTier'],
    nextPurchaseAt: at(row.nextPurchaseAt),
    nextPurchaseEarliestAt: at(row.earliestAt),
    nextPurchaseLatestAt: at(row.latestAt),
    lastOrderAt: at(row.lastOrderAt),
    orders: Number(row.orders),
    spendMinor: Number(row.spendMinor),
    consent: CHANNELS.filter((channel) => attributes.consent?.[channel] === true),
    loyaltyTier: attributes.loyaltyTier ?? null,
    segment: attributes.segment ?? null,
  };
}

/** The same question from there on, relative to the service. */
function nextLink(query: z.output<typeof ListQuery>, cursor: string): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, cursor }))
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) search.set(name, String(value));
  return `/customers?${search}`;
}
