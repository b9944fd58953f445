/** A lake with the events of a simulated shop, without the way through an import. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { writeSimulatedPart } from '../../src/cli/bench/simulated-lake.ts';
import type { Lake } from '../../src/history/lake.ts';
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
  // Without tiers and segments, as most shops' own logs are.
  const lines = chunks
    .join('')
    .split('\n')
    .filter((line) => !line.startsWith('{"type":"customerUpdated"'));
  const path = join(lake.folder('events'), 'simulated.ndjson');
  await writeFile(path, lines.join('\n'));
  await writeSimulatedPart(lake, 'import-simulated', [path]);
  await rm(path);
}
