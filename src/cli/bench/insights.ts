/**
 * `nextbest bench insights`: the figures of a period, and of an experiment, over a simulated lake, beside a plain scan of the
 * same lake in the same run. The scan reads the columns that the figures read, of every row, and adds them up: nothing over the
 * lake is faster.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DecisionPolicy } from '../../domain/decision-policy.ts';
import { dayMs } from '../../domain/time.ts';
import { type Lake, openLake } from '../../history/lake.ts';
import { DIMENSIONS } from '../../insights/dimensions.ts';
import { readOut } from '../../insights/experiments/readout.ts';
import { experimentSplit } from '../../insights/experiments/split.ts';
import { readRetention } from '../../insights/retention.ts';
import { DEFAULT_MARGIN_RATE } from '../../offers/shop-statistics.ts';
import { openBenchFolder } from './bench-place.ts';
import { leastTimes } from './measure.ts';
import { runCommand } from './run-command.ts';
import { writeSimulatedPart } from './simulated-lake.ts';

export type InsightsBenchOptions = {
  /** Wanted events; the shop is made to have about as many. */
  events: number;
  seed: number;
  repeats: number;
  /** Where the lake is kept; one that is there is measured as it is. Absent: a folder that is deleted afterwards. */
  folder?: string | undefined;
};

export type InsightsBenchLine = {
  /** In the lake. */
  events: number;
  rows: number;
  customers: number;
  question: string;
  wallSeconds: number;
  cpuSeconds: number;
  /** Wall time over that of the scan. */
  ratioToScan: number;
  /** Resident memory of this process at its highest so far. */
  peakMb: number;
};

const days = 540;
const eventsPerCustomer = 133;
const end = '2026-10-31';
const questions: readonly (readonly [string, string | undefined])[] = [
  ['90 days', '2026-08-03'],
  ['a year', '2025-11-01'],
  ['all', '2025-05-10'],
];

export async function benchInsights(
  { events, seed, repeats, folder }: InsightsBenchOptions,
  onLine: (line: InsightsBenchLine) => void,
  say: (text: string) => void,
): Promise<void> {
  const { path: root, close } = await openBenchFolder(folder);
  const dataDir = join(root, 'data');
  try {
    await mkdir(dataDir, { recursive: true });
    if ((await sizeOf(dataDir)).rows === 0) await makeLake({ events, seed, root, dataDir, say });
    const size = await sizeOf(dataDir);
    // As the service and the command open it.
    const lake = await openLake(dataDir);
    try {
      say(`${size.events} events: a plain scan …`);
      const scan = await leastTimes(repeats, () => lake.connection.run(scanQuery(lake)));
      const tell = (question: string, times: typeof scan) =>
        onLine({
          ...size,
          question,
          ...times,
          ratioToScan: times.wallSeconds / scan.wallSeconds,
          peakMb: process.resourceUsage().maxRSS / 1024,
        });
      tell('plain scan', scan);
      for (const [question, from] of questions) {
        say(`${size.events} events: ${question} …`);
        const times = await leastTimes(repeats, () =>
          readRetention(lake, { from, to: end, by: DIMENSIONS }, Date.now()),
        );
        tell(question, times);
      }
      say(`${size.events} events: an experiment …`);
      const now = Date.parse(`${end}T00:00:00Z`) + dayMs;
      tell(
        'experiment',
        await leastTimes(repeats, () =>
          readOut(lake, experiment(), { assumedShare: DEFAULT_MARGIN_RATE, now }),
        ),
      );
    } finally {
      lake.close();
    }
  } finally {
    await close();
  }
}

/** Of the last 60 days, two variants, beside a control group. */
function experiment() {
  const policy = DecisionPolicy.parse({
    controlGroupShare: 0.05,
    experiments: [{ name: 'bench', from: '2026-09-01T00:00:00Z', variants: [{ name: 'a' }, { name: 'b' }] }],
  });
  const [only] = policy.experiments;
  if (only === undefined) throw new Error('the policy of the bench has no experiment');
  return experimentSplit(only, policy);
}

async function makeLake({
  events,
  seed,
  root,
  dataDir,
  say,
}: {
  events: number;
  seed: number;
  root: string;
  dataDir: string;
  say: (text: string) => void;
}): Promise<void> {
  const customers = Math.max(10, Math.round(events / eventsPerCustomer));
  const items = Math.min(5000, Math.max(50, Math.round(customers / 10)));
  const out = join(root, 'simulated');
  const shop = { customers, items, days, seed, end, out };
  say(`${events} events: simulate …`);
  await runCommand(['simulate', ...Object.entries(shop).map(([flag, value]) => `--${flag}=${value}`)], {});
  say(`${events} events: write the lake …`);
  const lake = await openLake(dataDir);
  try {
    const files = ['customers', 'events'].map((file) => join(out, `${file}.ndjson`));
    await writeSimulatedPart(lake, 'import-simulated', files);
  } finally {
    lake.close();
  }
  await rm(out, { recursive: true });
}

async function sizeOf(dataDir: string): Promise<{ events: number; rows: number; customers: number }> {
  const lake = await openLake(dataDir);
  try {
    const counted = await lake.connection.runAndReadAll(
      `SELECT count(*) FILTER (line = 0)::DOUBLE, count(*)::DOUBLE, count(DISTINCT customerId)::DOUBLE FROM ${lake.from('events')}`,
    );
    const [events = 0, rows = 0, customers = 0] = (counted.getRows()[0] ?? []).map(Number);
    return { events, rows, customers };
  } finally {
    lake.close();
  }
}

function scanQuery(lake: Pick<Lake, 'from'>): string {
  return `SELECT sum(strlen(type)), sum(strlen(customerId)), max(occurredAt), sum(strlen(channel)), sum(quantity),
      sum(unitPriceMinor), sum(discountMinor), sum(strlen(detail)) FROM ${lake.from('events')}`;
}
