/** What a larger catalogue makes of the same calls: each line of `bench serve` beside that of the same name with fewer items. */
import type { ServeBenchLine } from './serve.ts';

export type ServeGrowthLine = {
  name: string;
  /** Of the catalogue, fewer and more. */
  items: [number, number];
  /** Times with more items, beside those with fewer: 1.5 = half as much again. */
  p50Ratio: number;
  /** The same, beside what `node:http+GET` took in the same run, which no catalogue changes: what else the machine did meanwhile. */
  p50RatioBesideNodeHttpGet: number;
  cpuRatio: number;
};

type SizedLines = { items: number; lines: readonly ServeBenchLine[] };

const referenceName = 'node:http+GET';

/** Of the calls that both have. */
export function serveGrowth(fewer: SizedLines, more: SizedLines): ServeGrowthLine[] {
  const named = ({ lines }: SizedLines, name: string) => lines.find((line) => line.name === name);
  const p50Ratio = (name: string) =>
    (named(more, name)?.p50Ms ?? Number.NaN) / (named(fewer, name)?.p50Ms ?? Number.NaN);
  const ofReference = p50Ratio(referenceName);
  return more.lines.flatMap((line): ServeGrowthLine[] => {
    const { name, asked, cpuMicrosPerRequest } = line;
    const before = named(fewer, name);
    // The bare servers know no catalogue.
    if (asked === undefined || before === undefined) return [];
    return [
      {
        name,
        items: [fewer.items, more.items],
        p50Ratio: p50Ratio(name),
        p50RatioBesideNodeHttpGet: p50Ratio(name) / ofReference,
        cpuRatio: cpuMicrosPerRequest / before.cpuMicrosPerRequest,
      },
    ];
  });
}
