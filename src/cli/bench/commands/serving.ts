/** The measurements of what answers, and what customers take in Redis. */
import { join } from 'node:path';
import { Command } from 'commander';
import { outputOf } from '../../output.ts';
import { benchFreshness, type FreshFigures, type FreshnessOptions, holdFresh } from '../freshness.ts';
import { benchMemory, type MemoryBenchOptions } from '../memory.ts';
import {
  benchOverload,
  holdNoErrors,
  type OverloadBenchLine,
  type OverloadBenchOptions,
} from '../overload.ts';
import { benchServe, type ServeBenchLine, type ServeBenchOptions } from '../serve.ts';
import { serveGrowth } from '../serve-growth.ts';
import { count, numbers, positiveInteger, share } from './figures.ts';
import {
  holdP99,
  itemsFlag,
  keptShopFlag,
  p99MaxFlag,
  recordsFlag,
  secondsFlag,
  seedFlag,
  shopFlag,
} from './flags.ts';

/** What `--p99-max` judges of each measurement. */
const untilVisible = 'what is posted until an answer knows of it';
const accepted = 'accepted requests';

type ServeFlags = Omit<ServeBenchOptions, 'items'> & { items: number[] };

export const serveBenchCommand = () =>
  new Command('serve')
    .description('the two calls of every page and every e-mail, beside a bare server under the same load')
    .addOption(recordsFlag(1_000_000))
    .option(
      '--items <n,n…>',
      'of the catalogue, such as 1e4,1e6; each size is one shop, and what the larger take is set beside the smallest',
      numbers,
      [50_000],
    )
    .option('--simulated-items <n>', 'of these; the others are copies of them', positiveInteger, 50_000)
    .addOption(shopFlag(20_000))
    .option('--connections <n>', 'that ask at once', positiveInteger, 32)
    .addOption(secondsFlag(5))
    .option('--rounds <n>', 'over all servers; the median counts', positiveInteger, 3)
    .option(
      '--returning <n>',
      'customers of a round who are asked about again and again',
      positiveInteger,
      5000,
    )
    .option(
      '--folder <dir>',
      'keep the shop and its models, of several sizes in <dir>/<items>, for the next time',
    )
    .addOption(seedFlag())
    .action(async ({ items: sizes, folder, ...flags }: ServeFlags, command: Command) => {
      const output = outputOf(command);
      const measured: { items: number; lines: ServeBenchLine[] }[] = [];
      for (const items of sizes) {
        const own = folder === undefined || sizes.length === 1 ? folder : join(folder, String(items));
        const lines: ServeBenchLine[] = [];
        measured.push({ items, lines });
        if (sizes.length > 1) output.heading(`${count(items)} items:`);
        await benchServe(
          { ...flags, items, ...(own !== undefined && { folder: own }) },
          (line) => {
            lines.push(line);
            output.result(
              { ...line, ...(sizes.length > 1 && { items }) },
              `${line.name.padEnd(35)} ${count(Math.round(line.requestsPerSecond)).padStart(7)} requests/s, p50 ${line.p50Ms.toFixed(1)} ms, ` +
                `p99 ${line.p99Ms.toFixed(1)} ms, ${Math.round(line.cpuMicrosPerRequest)} µs CPU a request, ` +
                `${line.ratioToNodeHttpGet.toFixed(2)} × node:http+GET, ${line.errors} errors` +
                Object.entries(line.from ?? {})
                  .map(([from, share]) => `, ${Math.round(100 * share)} % ${from}`)
                  .join(''),
            );
          },
          output.say,
        );
      }
      const [fewest, ...larger] = measured.sort((a, b) => a.items - b.items);
      if (fewest === undefined) return;
      for (const more of larger)
        for (const line of serveGrowth(fewest, more))
          output.result(
            { ...line },
            `${line.name.padEnd(35)} from ${line.items.map(count).join(' to ')} items: p50 ${line.p50Ratio.toFixed(2)} ×, ` +
              `${line.p50RatioBesideNodeHttpGet.toFixed(2)} × beside node:http+GET, ${line.cpuRatio.toFixed(2)} × the CPU`,
          );
    });

export const memoryBenchCommand = () =>
  new Command('memory')
    .description('what customers take in Redis, by what their keys are of')
    .addOption(recordsFlag(100_000))
    .addOption(itemsFlag(5000))
    .addOption(shopFlag(2000))
    .option(
      '--served <n>',
      'customers who are served, to see what that leaves in Redis',
      positiveInteger,
      1000,
    )
    .addOption(keptShopFlag())
    .addOption(seedFlag())
    .action(async (flags: MemoryBenchOptions, command: Command) => {
      const output = outputOf(command);
      await benchMemory(
        flags,
        (line) =>
          output.result(
            { ...line },
            `${line.kind.padEnd(15)} ${line.bytesPerKey === null ? '' : `${Math.round(line.bytesPerKey)} bytes × ${line.keysPerCustomer?.toFixed(2)} a customer`}` +
              `${line.livesHours === null ? '' : ` (lives ${Math.round(line.livesHours)} h)`}: ` +
              `${Math.round(line.bytesPerCustomer)} bytes a customer, ${line.gibPerMillion.toFixed(3)} GiB a million`,
          ),
        output.say,
      );
    });

export const freshnessBenchCommand = () =>
  new Command('freshness')
    .description(
      'posts to one process and asks another at once, under load: every next answer must know of it',
    )
    .option('--asks <n>', 'how many', positiveInteger, 10_000)
    .option('--processes <n>', 'of the service', positiveInteger, 2)
    .option('--callers <n>', 'that post and ask at once', positiveInteger, 4)
    .option(
      '--writers <n>',
      'that tell of the same customer at once while she is asked about; from 2 on the others post views',
      positiveInteger,
      1,
    )
    .option('--load <n>', 'pages a second, evenly, that are served beside it', positiveInteger, 200)
    .option(
      '--load-returning <share>',
      'of these, 0 to 1, whose customers were asked about a little before; the others are first pages',
      share,
      0,
    )
    .addOption(itemsFlag(2000))
    .addOption(shopFlag(1000))
    .addOption(keptShopFlag())
    .addOption(seedFlag())
    .addOption(p99MaxFlag(untilVisible))
    .action(async ({ p99Max, ...flags }: FreshnessOptions & { p99Max?: number }, command: Command) => {
      const output = outputOf(command);
      const line = await benchFreshness(flags, output.say);
      const told = ({ asks, share, p50Ms, p99Ms }: FreshFigures) =>
        `${count(asks)} asks, ${(100 * share).toFixed(2)} % fresh, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
      const kinds = Object.entries(line.kinds).map(([kind, figures]) => `${kind}: ${told(figures)}`);
      const { events, deferred } = line.beside;
      const others =
        line.writers === 1
          ? ''
          : `${count(events)} events of the same customers by others (${count(deferred)} deferred); `;
      output.result(
        { ...line },
        `${told(line)}; ${kinds.join('; ')}; ${others}${Math.round(line.loadPerSecond)} pages/s beside it ` +
          `(p50 ${line.loadP50Ms.toFixed(1)} ms, p99 ${line.loadP99Ms.toFixed(1)} ms, ${line.loadErrors} errors); of the cores the services take ${line.serviceCpu.toFixed(2)}, Redis ${line.redisCpu.toFixed(2)}, the measurement ${line.benchCpu.toFixed(2)}`,
      );
      holdFresh(line);
      holdP99(untilVisible, line.p99Ms, p99Max);
    });

export const overloadBenchCommand = () =>
  new Command('overload')
    .description('what a service does when twice as much is asked of it as it can answer')
    .addOption(secondsFlag(10))
    .option('--connections <n>', 'over which twice as much is asked', positiveInteger, 1000)
    .addOption(p99MaxFlag(accepted))
    .action(async ({ p99Max, ...flags }: OverloadBenchOptions & { p99Max?: number }, command: Command) => {
      const output = outputOf(command);
      const lines: OverloadBenchLine[] = [];
      await benchOverload(
        flags,
        (line) => {
          lines.push(line);
          output.result(
            { ...line },
            `${line.load} × the sustainable load: ${count(Math.round(line.offeredPerSecond))} requests/s, ` +
              `${count(Math.round(line.acceptedPerSecond))} accepted, p50 ${line.acceptedP50Ms.toFixed(1)} ms, p99 ${line.acceptedP99Ms.toFixed(1)} ms; ` +
              `${(100 * line.refusedShare).toFixed(1)} % refused, p99 ${line.refusedP99Ms.toFixed(1)} ms; ${line.errors} errors; sent late by ${line.sentLateP99Ms.toFixed(1)} ms (p99); ` +
              `answers again ${line.recoveredMs.toFixed(0)} ms after it`,
          );
        },
        output.say,
      );
      holdNoErrors(lines);
      holdP99(accepted, Math.max(...lines.map(({ acceptedP99Ms }) => acceptedP99Ms)), p99Max);
    });
