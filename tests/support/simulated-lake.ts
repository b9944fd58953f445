/** A lake with the events of a simulated shop, without the way through an import. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { type Lake, sqlText, writePart } from '../../src/history/lake.ts';
import { SimulationOptions } from '../../src/simulation/options.ts';
import { simulateShop } from '../../src/simulation/simulate-shop.ts';

/** Simulates a shop and writes its events as one part of the lake. */
export async function writeSimulatedEvents(
  lake: Lake,
  shop: z.input<typeof SimulationOptions>,
): Promise<void> {
  const chunks: string[] = [];
  const options = SimulationOptions.parse(shop);
  await simulateShop(options, {
    write: (file, lines) => {
      if (file === 'events') chunks.push(lines);
      return undefined;
    },
  });
  const path = join(lake.folder('events'), 'simulated.ndjson');
  await writeFile(path, chunks.join(''));
  const line =
    'STRUCT(itemId VARCHAR, quantity INTEGER, unitPriceMinor BIGINT, discountMinor BIGINT, category VARCHAR)';
  await writePart(
    lake,
    'events',
    'import-simulated',
    `SELECT eventId, (position - 1)::INTEGER AS line, type, customerId, NULL::VARCHAR AS sessionId,
       occurredAt::TIMESTAMPTZ::TIMESTAMP AS occurredAt, channel, orderId,
       lines[position].itemId AS itemId, lines[position].category AS category,
       lines[position].quantity AS quantity, lines[position].unitPriceMinor AS unitPriceMinor,
       lines[position].discountMinor AS discountMinor,
       CASE type WHEN 'rating' THEN json_object('rating', rating)
                 WHEN 'contact' THEN json_object('complaint', complaint)
                 WHEN 'delivery' THEN json_object('late', late)
                 WHEN 'nps' THEN json_object('score', score)
                 WHEN 'loyaltyPoints' THEN json_object('change', change, 'points', points)
                 WHEN 'community' THEN json_object('activity', activity)
                 WHEN 'marketingContact' THEN json_object('campaign', campaign, 'outcome', outcome)
            END::VARCHAR AS detail
     FROM (SELECT *, unnest(generate_series(1, greatest(1, coalesce(len(lines), 0)))) AS position
           FROM read_json(${sqlText(path)}, format = 'newline_delimited', columns = {type: 'VARCHAR', eventId: 'VARCHAR',
             customerId: 'VARCHAR', occurredAt: 'VARCHAR', channel: 'VARCHAR', orderId: 'VARCHAR', rating: 'DOUBLE',
             complaint: 'VARCHAR', late: 'BOOLEAN', score: 'INTEGER', change: 'VARCHAR', points: 'INTEGER', activity: 'VARCHAR',
             campaign: 'VARCHAR', outcome: 'VARCHAR', lines: '${line}[]'}))
     WHERE type <> 'customerUpdated'`,
  );
  await rm(path);
}
