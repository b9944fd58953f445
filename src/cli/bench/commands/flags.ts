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
