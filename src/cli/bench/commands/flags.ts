/** Flags that several measurements have, each said in one way. */
import { Option } from 'commander';
import { positiveInteger } from './figures.ts';

/** `--<name> <n>`: a whole number from 1. */
function amount(name: string, what: string, usual: number): Option {
  return new Option(`--${name} <n>`, what).argParser(positiveInteger).default(usual);
}

/** `what` another seed gives. */
export const seedFlag = (what = 'another shop') => amount('seed', `another seed is ${what}`, 1);

export const shopFlag = (usual: number) =>
  amount('shop', 'simulated customers whose records are copied', usual);

export const itemsFlag = (usual: number) => amount('items', 'of the catalogue', usual);

export const recordsFlag = (usual: number) => amount('customers', 'whose records there are', usual);

export const secondsFlag = (usual: number) => amount('seconds', 'of one measurement', usual);

/** Of a shop that takes long to make. */
export const keptShopFlag = () =>
  new Option('--folder <dir>', 'keep the shop and its models; one that is there is used again');

/** For whoever runs a measurement to learn whether its promise holds on this machine: by default figures are told, not judged. */
export const p99MaxFlag = (of: string) =>
  new Option('--p99-max <ms>', `exit with 1 where the p99 of ${of} is above it`).argParser(positiveInteger);

/** Throws, naming what was asked and what came, where a p99 is above `--p99-max`. */
export function holdP99(of: string, p99Ms: number, maxMs: number | undefined): void {
  if (maxMs === undefined || p99Ms <= maxMs) return;
  throw new Error(
    `the p99 of ${of} is ${p99Ms.toFixed(1)} ms, above the ${maxMs} ms of --p99-max: look whether others use this machine's cores`,
  );
}
