import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../src');

/** Which rooms a room may import from, besides itself: docs/architecture.md in code. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  algorithms: ['domain'],
  offers: ['domain', 'algorithms'],
  simulation: ['domain', 'algorithms', 'offers'],
  infra: ['domain'],
  features: ['domain', 'algorithms', 'infra'],
  scoring: ['domain', 'algorithms', 'features'],
  webhooks: ['domain'],
  decide: ['domain', 'algorithms', 'offers', 'features', 'scoring', 'infra'],
  history: ['domain', 'algorithms', 'features', 'infra'],
  insights: ['domain', 'algorithms', 'history', 'infra'],
  evaluation: ['domain', 'algorithms', 'history', 'infra'],
  train: [
    'domain',
    'algorithms',
    'decide',
    'evaluation',
    'features',
    'history',
    'infra',
    'offers',
    'scoring',
    'webhooks',
  ],
  serve: ['domain', 'algorithms', 'decide', 'features', 'history', 'infra', 'insights', 'offers', 'scoring'],
  cli: [
    'domain',
    'algorithms',
    'decide',
    'evaluation',
    'features',
    'history',
    'infra',
    'insights',
    'offers',
    'scoring',
    'simulation',
    'train',
    'serve',
    'webhooks',
  ],
};

type Import = { from: string; to: string; specifier: string };

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
  return specifiers.map((specifier) => ({
    from: relative(root, file),
    to: specifier.startsWith('.') ? relative(root, resolve(dirname(file), specifier)) : specifier,
    specifier,
  }));
}

/** Without what is imported for its types alone. */
function loadedBy(name: string): string[] {
  const file = join(root, name);
  const types = new Set(
    [...readFileSync(file, 'utf8').matchAll(/^(?:import|export) type [^;]*from '([^']+)'/gm)].map(
      (match) => match[1],
    ),
  );
  return importsOf(file)
    .filter(({ specifier }) => !types.has(specifier))
    .map(({ to }) => to);
}

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(root, name));
const imports = sources.flatMap(importsOf);
const room = (path: string) => path.split(sep)[0] ?? '';

test('every folder of src is a room of the architecture', () => {
  expect(readdirSync(root).sort()).toEqual(Object.keys(MAY_IMPORT).sort());
});

test('docs/architecture.md says of each room what it may import', () => {
  const page = readFileSync(resolve(root, '../docs/architecture.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `src\/(\w+)\/` \|.*\| ([^|]+) \|$/gm)];
  const said = new Map<string, string[]>();
  for (const [, name = '', text = ''] of rows) {
    const [, exceptions] = /^all above(?: but (.+))?$/.exec(text) ?? [];
    const above = [...said.keys()];
    if (text === 'everything') said.set(name, above);
    else if (text === 'zod') said.set(name, []);
    else if (text.startsWith('all above'))
      said.set(
        name,
        above.filter((other) => !exceptions?.split(/, | and /).includes(other)),
      );
    else said.set(name, text.split(', '));
  }
  const sorted = (rooms: readonly string[]) => [...rooms].sort();
  expect(Object.fromEntries([...said].map(([name, rooms]) => [name, sorted(rooms)]))).toEqual(
    Object.fromEntries(Object.entries(MAY_IMPORT).map(([name, rooms]) => [name, sorted(rooms)])),
  );
});

test('a room imports only from the rooms that it may know', () => {
  const trespasses = imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .filter(({ from, to }) => room(from) !== room(to) && !MAY_IMPORT[room(from)]?.includes(room(to)))
    .map(({ from, to }) => `${from} imports ${to}`);
  expect(trespasses).toEqual([]);
});

test('the domain imports nothing but zod', () => {
  const foreign = imports
    .filter(
      ({ from, specifier }) => room(from) === 'domain' && !specifier.startsWith('.') && specifier !== 'zod',
    )
    .map(({ from, specifier }) => `${from} imports ${specifier}`);
  expect(foreign).toEqual([]);
});

test('what a fault reads does not hang on what else is imported: the entry of each process and thread sees to it, and no other', () => {
  // Imports end in .ts: what ends in .js is built, for another process or thread to run.
  const started = sources.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/'(\.[^']+)\.js'/g)].map(([, entry]) =>
      relative(root, resolve(dirname(file), `${entry}.ts`)),
    ),
  );
  const checks = (file: string, seen = new Set<string>()): boolean => {
    if (file === 'zod') return true;
    if (seen.has(file) || !file.endsWith('.ts')) return false;
    seen.add(file);
    return loadedBy(file).some((to) => checks(to, seen));
  };
  const entries = [join('cli', 'main.ts'), ...new Set(started)].filter((entry) => checks(entry)).sort();
  const saying = sources
    .filter((file) => /^import '.*\/fault-sentences\.ts'/m.test(readFileSync(file, 'utf8')))
    .map((file) => relative(root, file));
  expect(entries.length).toBeGreaterThan(1);
  expect(saying.sort()).toEqual(entries);
});

test('algorithms, simulation, offers and webhooks are pure: no clock, no randomness, no environment', () => {
  const impure = sources
    .filter((file) => ['algorithms', 'simulation', 'offers', 'webhooks'].includes(room(relative(root, file))))
    .filter((file) => /Date\.now\(|new Date\(\)|Math\.random\(|process\.env/.test(readFileSync(file, 'utf8')))
    .map((file) => relative(root, file));
  expect(impure).toEqual([]);
});

test('a pipeline over keys of several nodes is none on a cluster: infra/redis-together.ts sends them', () => {
  const pipelining = sources
    .filter((file) => /\.pipeline\(/.test(readFileSync(file, 'utf8')))
    .map((file) => relative(root, file))
    // Benchmarks bring a server of their own.
    .filter((file) => room(file) !== 'cli');
  // The catalogue's store adds to one stream.
  expect(pipelining.sort()).toEqual(['infra/catalogue-store.ts', 'infra/redis-together.ts']);
});

test('TensorFlow.js is imported in one file', () => {
  const importers = imports
    .filter(({ specifier }) => specifier.startsWith('@tensorflow/'))
    .map(({ from }) => from);
  expect([...new Set(importers)]).toEqual([join('train', 'tensorflow.ts')]);
});

test('only the entry points hand the environment on', () => {
  const processes = [
    join('train', 'processor.ts'),
    join('train', 'batch', 'batch-processor.ts'),
    join('train', 'erase', 'erasure-processor.ts'),
  ];
  const readers = sources
    .filter((file) => readFileSync(file, 'utf8').includes('process.env'))
    .map((file) => relative(root, file))
    .filter((file) => room(file) !== 'cli' && !processes.includes(file));
  expect(readers).toEqual([]);
});
