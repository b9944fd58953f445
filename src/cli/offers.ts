/** `nextbest offers`: the offers that there are, and new ones from a file. */

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Command } from 'commander';
import { type OfferVersionDeps, saveOffers } from '../decide/offer-versions.ts';
import { loadDecisionPolicy } from '../decide/policy.ts';
import { UsageError } from '../domain/errors.ts';
import type { Offer } from '../domain/offer.ts';
import { FEATURE_NAMES } from '../features/registry.ts';
import { type CatalogueStore, createCatalogueStore } from '../infra/catalogue-store.ts';
import type { Config } from '../infra/config.ts';
import { budgetFault } from '../offers/budget-fault.ts';
import { economicsOf } from '../offers/cost.ts';
import { offerSchema } from '../offers/offer-schema.ts';
import { faultsOf } from '../serve/faults.ts';
import { batchCommand } from './offers-batch.ts';
import { rebuildLedgersCommand } from './offers-rebuild.ts';
import { type Output, outputOf } from './output.ts';
import { withRedis } from './with-redis.ts';

/** A shop with more has them made by a program, which should speak to the API. */
export const offersInFileMax = 10_000;

/** Of a JSON array, which is read whole; characters. */
const arrayLengthMax = 64 * 1024 * 1024;

/** Faults that are listed; the rest is counted. */
const faultsShown = 50;

export function offersCommand(): Command {
  const offers = new Command('offers').description('the offers that the service may make');
  offers
    .command('list')
    .description('every offer, by id; with --json one a line, as `offers put` reads them')
    .action((_options, command: Command) =>
      withStore(command, async (store, output) => {
        const all = (await store.listOffers()).sort((a, b) => (a.offerId < b.offerId ? -1 : 1));
        for (const offer of all) output.result(offer, describe(offer));
        if (all.length === 0) output.say('There are no offers yet.');
      }),
    );
  offers
    .command('put')
    .description(
      'add or replace the offers of a file: a JSON array, or one JSON object a line; .gz is read as it is',
    )
    .argument('<file>')
    .action(async (file: string, _options, command: Command) => {
      const read = await readOffers(file);
      await withStore(command, async (catalogueStore, output, { redis, keys, config }) => {
        refuseDearer(file, read, config);
        const saved = await saveOffers(read, Date.now(), { redis, keys, catalogueStore });
        output.result({ offers: saved.length, saved }, `${saved.length} offers are in force.`);
      });
    });
  offers.addCommand(batchCommand());
  offers.addCommand(rebuildLedgersCommand());
  return offers;
}

/**
 * The offers of a file: a JSON array, or one JSON object a line. Throws UsageError with every fault, by line (in an array by
 * the offer's number): the file is taken whole or not at all.
 */
export async function readOffers(file: string): Promise<Offer[]> {
  const schema = offerSchema(FEATURE_NAMES);
  const offers: Offer[] = [];
  const faults: string[] = [];
  for await (const { place, json } of jsonOf(file)) {
    const parsed = json === undefined ? undefined : schema.safeParse(json);
    if (parsed?.success) offers.push(parsed.data);
    else if (parsed === undefined)
      faults.push(`${place}: is not valid JSON; a file has one offer a line, or is a JSON array of them`);
    else
      for (const { path, message } of faultsOf(parsed.error, ''))
        faults.push(`${place}: ${path === '' ? 'the offer' : path}: ${message}`);
  }
  refuse(file, faults);
  return offers;
}

/** What may be an offer, and where it stands; undefined: no JSON. */
async function* jsonOf(file: string): AsyncGenerator<{ place: string; json: unknown }> {
  let number = 0;
  let given = 0;
  let array: string[] | undefined;
  let length = 0;
  const bound = (offers: number) => {
    if (offers > offersInFileMax) throw new UsageError(`${file} has more than ${offersInFileMax} offers.`);
  };
  for await (const line of linesOf(file)) {
    number++;
    if (array === undefined && given === 0 && line.trimStart().startsWith('[')) array = [];
    if (array !== undefined) {
      length += line.length;
      if (length > arrayLengthMax)
        throw new UsageError(`${file} is too long for a JSON array: write one offer a line.`);
      array.push(line);
    } else if (line.trim() !== '') {
      bound(++given);
      yield { place: `line ${number}`, json: parseJson(line) };
    }
  }
  if (array === undefined) return;
  const read = parseJson(array.join('\n'));
  if (!Array.isArray(read)) yield { place: 'the array', json: undefined };
  else {
    bound(read.length);
    for (const [index, json] of read.entries()) yield { place: `offer ${index + 1}`, json };
  }
}

/** Throws UsageError with the first of the faults, if there is any. */
function refuse(file: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const more = faults.length > faultsShown ? `\n  and ${faults.length - faultsShown} more` : '';
  const shown = faults.slice(0, faultsShown).map((fault) => `  ${fault}`);
  throw new UsageError(`${file} is not valid; no offer was taken:\n${shown.join('\n')}${more}`);
}

/** Of offers by the policy that the service decides by. */
function refuseDearer(
  file: string,
  offers: readonly Offer[],
  { decisionPolicyFile, currency }: Pick<Config, 'decisionPolicyFile' | 'currency'>,
): void {
  const { policy } = loadDecisionPolicy(decisionPolicyFile);
  const economics = economicsOf(policy, currency);
  const faults = offers.flatMap((offer) => budgetFault(offer, economics, `${offer.offerId}: `));
  refuse(
    file,
    faults.map(({ path, message }) => `${path} ${message}`),
  );
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const raw = createReadStream(file);
  let failure: Error | undefined;
  const onEnd = (err: Error | null) => {
    failure = err ?? undefined;
  };
  const bytes = file.endsWith('.gz') ? pipeline(raw, createGunzip(), onEnd) : raw.on('error', onEnd);
  try {
    yield* createInterface({ input: bytes, crlfDelay: Infinity });
  } catch (err) {
    failure = err as Error;
  }
  if (failure !== undefined) throw new UsageError(`${file} cannot be read: ${failure.message}`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function withStore(
  command: Command,
  use: (store: CatalogueStore, output: Output, deps: OfferVersionDeps & { config: Config }) => Promise<void>,
): Promise<void> {
  return withRedis('offers', ({ redis, keys, config }) =>
    use(createCatalogueStore(redis, keys, config), outputOf(command), { redis, keys, config }),
  );
}

function describe({ offerId, name, benefit, channels, fallback }: Offer): string {
  return `${offerId}  ${name} (${benefit.kind}; ${channels.join(', ')}${fallback ? '; fallback' : ''})`;
}
