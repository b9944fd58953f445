/**
 * Who was sent which campaign of coupons, whether they redeemed one, and what was known of them the day before it began: from
 * the files of dunnhumby's The Complete Journey (columns as in the R package `completejourney`).
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { pathPattern, queryChunks, sqlText } from '../../history/lake.ts';
import { Float64List } from '../input/float64-list.ts';
import { IdIndex } from '../input/id-index.ts';
import { Int32List } from '../input/int32-list.ts';

/** What is known of a household and a campaign before the campaign's first day. */
export const REDEMPTION_FEATURES = [
  'pastRedemptions',
  'campaignsRedeemed',
  'campaignsSent',
  'redeemedShare',
  'sameTypeRedeemed',
  'daysSinceRedemption',
  'isTypeA',
  'isTypeB',
  'isTypeC',
  'durationDays',
  'couponProducts',
  'recipients',
  'lines',
  'baskets',
  'basketsLast56Days',
  'spend',
  'daysSincePurchase',
  'couponLines',
  'discountShare',
  'overlapLines',
  'overlapProducts',
  'overlapSpend',
  'overlapShare',
] as const;

export type RedemptionTable = {
  rows: number;
  household: Int32Array;
  /** First day of the campaign, in days since 1970. */
  start: Int32Array;
  /** Last day of the campaign. */
  end: Int32Array;
  /** 1: redeemed a coupon of the campaign. */
  redeemed: Uint8Array;
  /** rows × REDEMPTION_FEATURES. */
  features: Float32Array;
};

/** Files of the folder, `.csv` or `.csv.gz`; of transactions a sample will do. */
const FILES = {
  campaigns: ['campaigns'],
  descriptions: ['campaign_descriptions'],
  coupons: ['coupons'],
  redemptions: ['coupon_redemptions'],
  transactions: ['transactions', 'transactions_sample'],
} as const;

/** UsageError where a file or a column is missing. */
export async function readRedemptions(folder: string): Promise<RedemptionTable> {
  const names = await readdir(folder).catch((err: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${folder} cannot be read as a folder (${err.code ?? err.message}): name the one with the files of The Complete Journey.`,
    );
  });
  const from = Object.fromEntries(
    Object.entries(FILES).map(([table, stems]) => {
      const name = names.find((one) =>
        stems.some((stem) => one === `${stem}.csv` || one === `${stem}.csv.gz`),
      );
      if (name === undefined)
        throw new UsageError(`${folder} has no ${stems[0]}.csv (or .csv.gz), which is needed.`);
      const path = sqlText(pathPattern(join(folder, name)));
      return [table, `read_csv(${path}, all_varchar = true, header = true, nullstr = ['NA', ''])`];
    }),
  ) as Record<keyof typeof FILES, string>;
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const household = new IdIndex();
  const columns = { household: new Int32List(), start: new Int32List(), end: new Int32List() };
  const redeemed = new Int32List();
  const features = new Float64List();
  try {
    await connection.run(tables(from));
    for await (const chunk of queryChunks(connection, query)) {
      const values = Array.from({ length: chunk.columnCount }, (_, c) => chunk.getColumnVector(c));
      for (let row = 0; row < chunk.rowCount; row++) {
        const [id, start, end, label, ...known] = values.map((vector) => vector.getItem(row));
        columns.household.push(household.add(String(id)));
        columns.start.push(Number(start));
        columns.end.push(Number(end));
        redeemed.push(Number(label));
        for (const value of known) features.push(Number(value));
      }
    }
  } catch (err) {
    const message = err instanceof Error ? err.message : String(err);
    throw new UsageError(
      `The files in ${folder} are not those of The Complete Journey: ${message.split('\n')[0]}`,
      { cause: err },
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return {
    rows: redeemed.length,
    household: columns.household.toArray(),
    start: columns.start.toArray(),
    end: columns.end.toArray(),
    redeemed: Uint8Array.from(redeemed.toArray()),
    features: Float32Array.from(features.toArray()),
  };
}

function tables(from: Record<keyof typeof FILES, string>): string {
  return `
    CREATE TABLE campaign AS SELECT campaign_id AS campaign, campaign_type AS kind, start_date::DATE AS start, end_date::DATE AS "end"
      FROM ${from.descriptions};
    CREATE TABLE sent AS SELECT DISTINCT s.household_id AS household, c.*
      FROM ${from.campaigns} s JOIN campaign c ON c.campaign = s.campaign_id;
    CREATE TABLE redemption AS SELECT household_id AS household, campaign_id AS campaign, redemption_date::DATE AS day
      FROM ${from.redemptions};
    CREATE TABLE promoted AS SELECT DISTINCT campaign_id AS campaign, product_id AS product FROM ${from.coupons};
    CREATE TABLE line AS SELECT household_id AS household, basket_id AS basket, product_id AS product,
        sales_value::DOUBLE AS sales, abs(retail_disc::DOUBLE) AS retail,
        abs(coupon_disc::DOUBLE) + abs(coupon_match_disc::DOUBLE) AS coupon,
        left(transaction_timestamp, 10)::DATE AS day
      FROM ${from.transactions};`;
}

/** Each of the joins that look back takes days before the campaign's first alone. */
const query = `
  WITH history AS (
    SELECT s.household, s.campaign, count(*) AS redemptions, count(DISTINCT r.campaign) AS campaigns,
      count(DISTINCT r.campaign) FILTER (c.kind = s.kind) AS alike, max(r.day) AS latest
    FROM sent s JOIN redemption r ON r.household = s.household AND r.day < s.start
    JOIN campaign c ON c.campaign = r.campaign GROUP BY ALL),
  earlier AS (
    SELECT s.household, s.campaign, count(*) AS sent
    FROM sent s JOIN sent o ON o.household = s.household AND o.start < s.start GROUP BY ALL),
  bought AS (
    SELECT s.household, s.campaign, count(*) AS lines, count(DISTINCT basket) AS baskets,
      count(DISTINCT basket) FILTER (l.day >= s.start - 56) AS recent, sum(sales) AS spend, max(l.day) AS latest,
      count(*) FILTER (l.coupon > 0) AS coupons, sum(retail) / greatest(0.01, sum(sales + retail)) AS discount
    FROM sent s JOIN line l ON l.household = s.household AND l.day < s.start GROUP BY ALL),
  overlap AS (
    SELECT s.household, s.campaign, count(*) AS lines, count(DISTINCT l.product) AS products, sum(sales) AS spend
    FROM sent s JOIN line l ON l.household = s.household AND l.day < s.start
    JOIN promoted p ON p.campaign = s.campaign AND p.product = l.product GROUP BY ALL),
  size AS (SELECT campaign, count(*) AS products FROM promoted GROUP BY ALL),
  reach AS (SELECT campaign, count(*) AS households FROM sent GROUP BY ALL),
  label AS (SELECT DISTINCT household, campaign FROM redemption)
  SELECT s.household, date_diff('day', DATE '1970-01-01', s.start), date_diff('day', DATE '1970-01-01', s."end"),
    CASE WHEN label.household IS NULL THEN 0 ELSE 1 END,
    coalesce(h.redemptions, 0), coalesce(h.campaigns, 0), coalesce(e.sent, 0),
    coalesce(h.campaigns, 0) / (2.0 + coalesce(e.sent, 0)), coalesce(h.alike, 0),
    least(365, coalesce(date_diff('day', h.latest, s.start), 365)),
    (s.kind = 'Type A')::INT, (s.kind = 'Type B')::INT, (s.kind = 'Type C')::INT,
    date_diff('day', s.start, s."end"), ln(1 + coalesce(z.products, 0)), ln(1 + t.households),
    ln(1 + coalesce(b.lines, 0)), ln(1 + coalesce(b.baskets, 0)), ln(1 + coalesce(b.recent, 0)), ln(1 + greatest(0, coalesce(b.spend, 0))),
    least(365, coalesce(date_diff('day', b.latest, s.start), 365)), ln(1 + coalesce(b.coupons, 0)), coalesce(b.discount, 0),
    ln(1 + coalesce(o.lines, 0)), ln(1 + coalesce(o.products, 0)), ln(1 + greatest(0, coalesce(o.spend, 0))),
    coalesce(o.lines / b.lines, 0)
  FROM sent s LEFT JOIN history h USING (household, campaign) LEFT JOIN earlier e USING (household, campaign)
  LEFT JOIN bought b USING (household, campaign) LEFT JOIN overlap o USING (household, campaign)
  LEFT JOIN size z USING (campaign) LEFT JOIN reach t USING (campaign) LEFT JOIN label USING (household, campaign)
  ORDER BY s.start, s.campaign, s.household`;
