/**
 * The events of a simulation as one part of a lake, without the way through an import, which checks every row, looks for it
 * in the lake and sorts: for measuring what reads a lake, and for tests.
 */
import { type Lake, pathPattern, sqlText, writePart } from '../../history/lake.ts';

const line =
  'STRUCT(itemId VARCHAR, quantity INTEGER, unitPriceMinor BIGINT, discountMinor BIGINT, category VARCHAR)';
const columns = {
  type: 'VARCHAR',
  eventId: 'VARCHAR',
  customerId: 'VARCHAR',
  occurredAt: 'VARCHAR',
  channel: 'VARCHAR',
  orderId: 'VARCHAR',
  rating: 'INTEGER',
  itemId: 'VARCHAR',
  complaint: 'VARCHAR',
  topic: 'VARCHAR',
  late: 'BOOLEAN',
  score: 'INTEGER',
  change: 'VARCHAR',
  points: 'INTEGER',
  activity: 'VARCHAR',
  campaign: 'VARCHAR',
  outcome: 'VARCHAR',
  decisionId: 'VARCHAR',
  offerId: 'VARCHAR',
  valueMinor: 'BIGINT',
  attributes: 'JSON',
  lines: `${line}[]`,
};

/** `files` are `customers.ndjson` and `events.ndjson` of simulations; what they hold comes out as an import would have it. */
export async function writeSimulatedPart(lake: Lake, name: string, files: readonly string[]): Promise<void> {
  const typed = Object.entries(columns).map(([column, type]) => `${column}: '${type}'`);
  const paths = files.map((file) => sqlText(pathPattern(file)));
  await writePart(
    lake,
    'events',
    name,
    `SELECT eventId, (position - 1)::INTEGER AS line, type, customerId, NULL::VARCHAR AS sessionId,
       occurredAt::TIMESTAMPTZ::TIMESTAMP AS occurredAt, channel, orderId,
       lines[position].itemId AS itemId, lines[position].category AS category,
       CASE WHEN lines IS NOT NULL THEN coalesce(lines[position].quantity, 1) END AS quantity,
       lines[position].unitPriceMinor AS unitPriceMinor, lines[position].discountMinor AS discountMinor,
       -- The merge leaves out what is null: an item where none was rated.
       CASE type WHEN 'rating' THEN json_merge_patch('{}', json_object('rating', rating, 'itemId', itemId))
                 WHEN 'contact' THEN json_merge_patch('{}', json_object('complaint', complaint, 'topic', topic))
                 WHEN 'delivery' THEN json_object('late', late)
                 WHEN 'nps' THEN json_object('score', score)
                 WHEN 'loyaltyPoints' THEN json_object('change', change, 'points', points)
                 WHEN 'community' THEN json_object('activity', activity)
                 WHEN 'marketingContact' THEN json_object('campaign', campaign, 'outcome', outcome)
                 WHEN 'offerOutcome' THEN json_merge_patch('{}', json_object(
                   'decisionId', decisionId, 'offerId', offerId, 'outcome', outcome, 'valueMinor', valueMinor))
                 WHEN 'customerUpdated' THEN json_object('attributes', attributes)
            END::VARCHAR AS detail
     FROM (SELECT *, unnest(generate_series(1, greatest(1, coalesce(len(lines), 0)))) AS position
           FROM read_json([${paths.join(', ')}], format = 'newline_delimited', columns = {${typed.join(', ')}}))`,
  );
}
