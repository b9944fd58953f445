import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRng } from '../src/algorithms/rng.ts';
import { COMMANDS } from '../src/cli/commands.ts';
import { Environment } from '../src/infra/config.ts';
import { loadModel, newModelVersion, publishModel } from '../src/infra/model-store.ts';
import { NDJSON_TYPE, type Route } from '../src/serve/route.ts';
import { ROUTES } from '../src/serve/routes.ts';
import { runCurl, shellCommands } from './support/curl.ts';
import { eventually } from './support/eventually.ts';
import { type Sandbox, sandbox } from './support/nextbest.ts';

const readme = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8');
const commands = shellCommands(readme).map((command) => command.replace(/\s+#.*$/, ''));
const curls = commands.filter((command) => command.startsWith('curl '));
const exportFile = 'orders_export.csv';

/** The README's own command of this name, as arguments of `nextbest`. */
function nextbestLine(name: string, shop: Sandbox): string[] {
  const line = commands.find((command) => command.startsWith(`./bin/nextbest ${name}`)) ?? '';
  const [, ...args] = line.replace(exportFile, join(shop.dataDir, exportFile)).split(/\s+/);
  return args;
}

async function runs(shop: Sandbox, args: readonly string[]): Promise<string> {
  const finished = await shop.run(args);
  expect(finished, `${args.join(' ')}: ${finished.stderr}`).toMatchObject({ exitCode: 0 });
  return finished.stdout;
}

/** Orders as Shopify exports them; every fourth has a second line, which leaves the order's columns empty. */
function shopifyExport(orders: number): string {
  const rng = createRng('orders export', 1);
  const rows = ['Name,Email,Created at,Currency,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku'];
  const line = () => {
    const item = rng.nextInt(20);
    return `${1 + rng.nextInt(3)},Mug no. ${item},${8 + item}.50,MUG-${item}`;
  };
  for (let n = 0; n < orders; n++) {
    const at = new Date(Date.UTC(2026, 0, 1) + n * 3_600_000).toISOString().replace(/T(.{8}).*/, ' $1 +0000');
    rows.push(`#${1000 + n},buyer${rng.nextInt(40)}@example.org,${at},EUR,${line()}`);
    if (n % 4 === 3) rows.push(`#${1000 + n},,,,${line()}`);
  }
  return `${rows.join('\n')}\n`;
}

/** The decision policy that docs/experiments.md shows. */
function examplePolicy(): object {
  const page = readFileSync(resolve(import.meta.dirname, '../docs/experiments.md'), 'utf8');
  return JSON.parse(/```json\n([\s\S]+?)```/.exec(page)?.[1] ?? '');
}

/** The route that a `curl` line calls. */
function routeOf(command: string): Route | undefined {
  const method = /-X (\w+)/.exec(command)?.[1] ?? (/ -d /.test(command) ? 'POST' : 'GET');
  const path = /localhost:3000(\/[^'?\s]*)/.exec(command)?.[1] ?? '';
  const fits = (route: Route) => new RegExp(`^${route.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  const ofMethod = ROUTES.filter((route) => route.method === method);
  return ofMethod.find((route) => route.path === path) ?? ofMethod.find(fits);
}

/** Of a list with an object a line, the first. */
function bodyOf({ answerType }: Route, text: string): Body {
  if (!answerType.includes('json')) return text;
  return JSON.parse(answerType === NDJSON_TYPE ? (text.split('\n')[0] ?? '') : text);
}

const nameOf = (route: Route) => `${route.method} ${route.path}`;

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there
type Body = any;

/** What an example is there to show, beyond an answer of the right form. */
const shows: Record<string, (body: Body) => void> = {
  'GET /recommendations': ({ items, degraded }) => {
    expect(degraded).toBe(false);
    expect(items.length).toBeGreaterThan(0);
    for (const { reasons } of items) expect(reasons[0].text).toMatch(/\w/);
  },
  'GET /items/{itemId}/similar': ({ items }) => expect(items.length).toBeGreaterThan(0),
  'GET /items/{itemId}/bought-together': ({ items }) => expect(items.length).toBeGreaterThan(0),
  'POST /events': ({ accepted, rejected }) => {
    expect(accepted).toBeGreaterThan(0);
    expect(rejected).toBe(0);
  },
  'GET /customers/{customerId}/profile': ({ features, categoryAffinities, churn, value }) => {
    expect(features.purchaseCount).toBeGreaterThan(0);
    expect(categoryAffinities.length).toBeGreaterThan(0);
    expect(churn.reasons.length).toBeGreaterThan(0);
    expect(value.valueMinor).toBeGreaterThanOrEqual(0);
  },
  'GET /customers': ({ rfmSegment, valueMinor, consent }) => {
    expect(['champion', 'loyal', 'atRisk']).toContain(rfmSegment);
    expect(valueMinor).toBeGreaterThan(0);
    expect(consent).toContain('email');
  },
  'GET /customers/{customerId}': ({ attributes }) =>
    expect(attributes).toMatchObject({ loyaltyTier: 'gold', segment: 'north' }),
  'GET /customers/{customerId}/data': ({ record, events }) => {
    expect(record.features.purchaseCount).toBeGreaterThan(0);
    expect(events.length).toBeGreaterThan(1);
  },
  'POST /offers/decide': ({ placements: [{ offers, fallback }] }) => {
    // Whether anything but the fallback is worth making depends on the day: the shop's history ends when the test runs.
    expect(offers.length).toBeGreaterThan(0);
    for (const { terms } of offers) expect(terms === undefined).toBe(fallback);
  },
  'POST /decisions/{decisionId}/outcomes': ({ duplicate }) => expect(duplicate).toBe(false),
  'GET /items/{itemId}': ({ name }) => expect(name).toBe('Elm Street Cold Brew'),
  'POST /items': ({ items }) => expect(items).toBe(2),
  'GET /offers/{offerId}': ({ benefit }) =>
    expect(benefit).toEqual({ kind: 'percentOff', percent: 10, maxMinor: 2000 }),
  'GET /offers': ({ offers }) =>
    expect(offers.map(({ offerId }: Body) => offerId)).toEqual(expect.arrayContaining(['news'])),
  'GET /insights/retention': ({ total, groups }) => {
    expect(total.customers).toBeGreaterThan(0);
    expect(groups.length).toBeGreaterThan(1);
  },
  'GET /experiments': ({ controlGroupShare, experiments }) => {
    expect(controlGroupShare).toBeGreaterThan(0);
    expect(experiments.length).toBeGreaterThan(1);
  },
  'GET /experiments/{name}': ({ groups }) =>
    expect(groups.map(({ name }: Body) => name)).toEqual(['as-it-is', 'by-response', 'bold']),
  'GET /control-group': ({ groups }) => expect(groups[0].customers).toBeLessThan(groups[1].customers),
  'GET /offers/{offerId}/holdout': ({ groups }) => expect(groups[0].name).toBe('without'),
  'GET /offers/batch/{batchId}/result': ({ offers }) => expect(offers.length).toBeGreaterThan(0),
  'GET /jobs/{jobId}': ({ job }) => expect(job).toBe('train-churn'),
  'GET /models/{name}': ({ models }) => expect(models.length).toBeGreaterThan(1),
  'GET /webhooks/dead': ({ count }) => expect(count).toBe(0),
  'POST /webhooks/replay': ({ replayed }) => expect(replayed).toBe(0),
  'GET /openapi.json': ({ paths }) => expect(Object.keys(paths)).toContain('/recommendations'),
};

/** The trained model as another version, so that there is one to roll back to. */
async function publishAgain(modelsDir: string): Promise<void> {
  const { manifest, arrays, tables } = await loadModel(modelsDir, 'collaborative');
  const later = Date.parse(manifest.createdAt) + 1000;
  const draft = {
    ...manifest,
    version: newModelVersion(later, () => 0),
    createdAt: new Date(later).toISOString(),
  };
  await publishModel(modelsDir, draft, arrays, tables);
}

/** Whether the service knows the customer, and the catalogue, of the examples. */
async function isRebuilt(url: string, headers: Record<string, string>): Promise<boolean> {
  const profile = await fetch(`${url}/customers/c0000002/profile`, { headers });
  const recommendations = await fetch(`${url}/recommendations?customerId=c0000002`, { headers });
  const { degraded } = (await recommendations.json()) as { degraded: boolean };
  return profile.ok && !degraded;
}

async function isComplete(address: string, headers: Record<string, string>): Promise<void> {
  await eventually(async () => {
    const batch = (await (await fetch(address, { headers })).json()) as { state: string };
    expect(batch.state).toBe('completed');
  });
}

// Here, not in a hook: what a hook registers to be ended is not.
const shop = await sandbox();

describe('the examples of the README', () => {
  let url: string;
  /** The shop's own service asks for the key that the README has made. */
  let key: { 'x-api-key': string };
  /** Answers of earlier examples, for those that go on from them. */
  const seen: Partial<Record<string, string>> = {};

  // A test a command: each has its own time, and is named where it fails.
  test('a simulated shop, for the ids of the examples, is imported', async () => {
    await runs(shop, ['simulate', '--customers', '600', '--items', '120', '--days', '300']);
    const files = ['items', 'offers', 'customers', 'events'].map((name) =>
      join(shop.dataDir, 'simulated', `${name}.ndjson`),
    );
    await runs(shop, ['import', '--preset', 'nextbest', ...files]);
  });

  test('nextbest import', async () => {
    await writeFile(join(shop.dataDir, exportFile), shopifyExport(400));
    const imported = await runs(shop, [...nextbestLine('import', shop), '--json']);
    // 400 first lines and 400 ÷ 4 second ones.
    expect(JSON.parse(imported.trim().split('\n').at(-1) ?? '')).toMatchObject({
      rowsRead: 500,
      accepted: 500,
    });
  });

  test('nextbest train', async () => {
    await runs(shop, nextbestLine('train', shop));
    await publishAgain(shop.modelsDir);
  });

  test('nextbest keys create', async () => {
    key = { 'x-api-key': (await runs(shop, nextbestLine('keys', shop))).trim() };
  });

  test('nextbest start', async () => {
    // Examples that go on from a decision need one that made an offer: what exploring draws may be nothing.
    const policyFile = join(shop.dataDir, 'policy.json');
    await writeFile(policyFile, JSON.stringify({ ...examplePolicy(), exploration: { method: 'none' } }));
    const started = shop.start(nextbestLine('start', shop), {
      AUTH: '',
      DECISION_POLICY_FILE: policyFile,
    });
    url = String((await started.line('url')).url);
    // Without a redis-server, Redis begins empty: the worker first rebuilds records and catalogue from the lake.
    await eventually(async () => expect(await isRebuilt(url, key)).toBe(true));
  });

  test.each(curls)('%s', async (command) => {
    const filled = command.replace(
      /DECISION_ID|BATCH_ID|OFFER_ID|OFFER_VERSION|JOB_ID|RECEIPT_ID|VERSION/g,
      (name) => {
        const value = seen[name];
        if (value === undefined) throw new Error(`no earlier answer gave ${name}`);
        return value;
      },
    );
    const route = routeOf(command);
    if (route?.path === '/offers/batch/{batchId}/result')
      await isComplete(`${url}/offers/batch/${seen.BATCH_ID}`, key);
    const response = await runCurl(filled, 'localhost:3000', url, key);
    const text = await response.text();
    expect(Object.keys(route?.responses ?? {}), text).toContain(String(response.status));
    const schema = route?.responses[response.status];
    if (route === undefined || !schema) return;
    const body = bodyOf(route, text);
    expect(schema.safeParse(body).error?.issues ?? [], text).toEqual([]);
    shows[nameOf(route)]?.(body);
    if (nameOf(route) === 'POST /offers/decide') {
      seen.DECISION_ID = body.decisionId;
      seen.OFFER_ID = body.placements[0].offers[0].offerId;
    }
    if (nameOf(route) === 'GET /offers/{offerId}/versions')
      seen.OFFER_VERSION = body.versions[0].offerVersion;
    if (nameOf(route) === 'POST /offers/batch') seen.BATCH_ID = body.jobId;
    if (nameOf(route) === 'DELETE /customers/{customerId}') seen.RECEIPT_ID = body.receiptId;
    if (nameOf(route) === 'POST /jobs') seen.JOB_ID = body.jobId;
    if (nameOf(route) === 'GET /models/{name}') {
      seen.VERSION = body.models.find(({ current }: Body) => current).version;
    }
    if (nameOf(route) === 'POST /models/{name}/rollback') expect(body.version).not.toBe(seen.VERSION);
  });
});

test('the README shows every call that the service has', () => {
  const shown = new Set(curls.map(routeOf));
  expect(ROUTES.filter((route) => !shown.has(route)).map(nameOf)).toEqual([]);
});

test('the README names every command', () => {
  expect(Object.keys(COMMANDS).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});

test('the table of settings is what the schema says', () => {
  const rows = Object.entries(Environment.shape).map(([name, schema]) => {
    const parsed = schema.safeParse(undefined);
    const byDefault = parsed.success && parsed.data !== undefined ? `\`${parsed.data}\`` : '';
    return `| \`${name}\` | ${byDefault} | ${schema.description ?? ''} |`;
  });
  expect(readme).toContain(['|---|---|---|', ...rows, ''].join('\n'));
});
