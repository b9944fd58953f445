/** The public protocols by their names on the command line, and the flags that name their files. */
import { InvalidArgumentError } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { type MeasureOptions, measure } from '../evaluation/measure.ts';
import { nextBasket } from '../evaluation/next-basket/protocol.ts';
import { fullRanking, sampledNegatives } from '../evaluation/pairs/protocols.ts';
import type { Protocol, ProtocolFiles } from '../evaluation/protocol.ts';
import { type Tuned, type TuneOptions, tune } from '../evaluation/tune.ts';

export const PROTOCOL_NAMES = ['sampled-negatives', 'full-ranking', 'next-basket'] as const;
export type ProtocolName = (typeof PROTOCOL_NAMES)[number];

export type FileFlags = {
  train?: string;
  test?: string;
  negatives?: string;
  history?: string;
  future?: string;
};

/** A protocol whose types of data and scorers are nobody else's concern. */
export type RunnableProtocol = {
  metrics: readonly string[];
  measure: (options: MeasureOptions) => Promise<void>;
  tune: (options: TuneOptions) => Promise<Tuned[]>;
};

export const RUNNABLE: Readonly<Record<ProtocolName, RunnableProtocol>> = {
  'sampled-negatives': runnable(sampledNegatives),
  'full-ranking': runnable(fullRanking),
  'next-basket': runnable(nextBasket),
};

/** The files of a protocol. UsageError for flags that are missing, and for those of another protocol. */
export function filesOf(protocol: ProtocolName, flags: FileFlags): ProtocolFiles {
  const baskets = protocol === 'next-basket';
  const [train, test] = baskets ? [flags.history, flags.future] : [flags.train, flags.test];
  const foreign = baskets ? ['train', 'test', 'negatives'] : ['history', 'future'];
  if (protocol === 'full-ranking') foreign.push('negatives');
  refuse(protocol, flags, foreign);
  if (train === undefined || test === undefined)
    throw new UsageError(
      `The protocol ${protocol} needs ${baskets ? '--history FILE --future FILE' : '--train FILE --test FILE'}.`,
    );
  return { train, test, negatives: flags.negatives };
}

/** The one file that hyper-parameters are searched on. */
export function trainingFileOf(protocol: ProtocolName, flags: Pick<FileFlags, 'train' | 'history'>): string {
  const baskets = protocol === 'next-basket';
  refuse(protocol, flags, [baskets ? 'train' : 'history']);
  const path = baskets ? flags.history : flags.train;
  if (path === undefined)
    throw new UsageError(`The protocol ${protocol} needs ${baskets ? '--history FILE' : '--train FILE'}.`);
  return path;
}

export function collected(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 0.');
  return Number(text);
}

function refuse(protocol: ProtocolName, flags: FileFlags, foreign: readonly string[]): void {
  const given = foreign.filter((name) => Object.hasOwn(flags, name));
  if (given.length > 0)
    throw new UsageError(`The protocol ${protocol} does not take --${given.join(', --')}.`);
}

function runnable<Data, Scorer extends { release?: () => void }>(
  protocol: Protocol<Data, Scorer>,
): RunnableProtocol {
  return {
    metrics: protocol.metrics,
    measure: (options) => measure(protocol, options),
    tune: (options) => tune(protocol, options),
  };
}
