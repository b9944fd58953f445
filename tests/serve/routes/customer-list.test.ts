/** `GET /customers` over HTTP: filters, order, pages of one snapshot, formats, consent. */
import { mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openLake } from '../../../src/history/lake.ts';
import {
  SCORE_COLUMNS,
  type ScoreRow,
  type Snapshot,
  scoreBatch,
  writeSnapshot,
} from '../../../src/history/score-snapshots.ts';
import { newModelVersion } from '../../../src/infra/model-store.ts';
import { addressableChannels } from '../../../src/offers/may-address.ts';
import { createScoreReader } from '../../../src/serve/customers/score-reader.ts';
import type { Deps } from '../../../src/serve/deps.ts';
import { asAppError } from '../../../src/serve/problem.ts';
import { customerListRoute } from '../../../src/serve/routes/customer-list.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url, prefix } = testRedis();
const scoredAt = Date.UTC(2026, 10, 20, 4);
let dataDir: string;
let service: TestService;
let snapshots = 0;

type Scored = { id: string; risk: number | null; value: number | null; segment?: string; next?: number };

const customers: readonly Scored[] = [
  { id: 'ann', risk: 0.9, value: 5000, segment: 'atRisk', next: scoredAt + 5e8 },
  { id: 'bob', risk: 0.2, value: 9000, segment: 'champion', next: scoredAt + 1e8 },
  { id: 'cem', risk: 0.9, value: 100, segment: 'lost' },
  { id: 'dee, "the first"', risk: 0.5, value: 9000, segment: 'champion', next: scoredAt + 2e8 },
  // Seen, and never ordered: no model tells anything.
  { id: 'eve', risk: null, value: null },
];

/** Before anybody withdrew. */
const consentOf = (id: string) => ({ email: id !== 'bob', phone: false });

async function score(
  scored: readonly Scored[],
  models: Snapshot['models'] = { churn: 'v1', customerValue: 'v2' },
): Promise<string> {
  const lake = await openLake(dataDir, { threads: 1, memoryMb: 256 });
  const id = newModelVersion(scoredAt + 1000 * snapshots++, () => 0.5);
  const about = {
    id,
    scoredAt: new Date(scoredAt).toISOString(),
    models,
  };
  await writeSnapshot(lake.connection, dataDir, about, async ({ add }) => {
    const nothing = Object.fromEntries(SCORE_COLUMNS.map((name) => [name, null])) as unknown as ScoreRow;
    const rows = scored.map(
      ({ id: customerId, risk, value, segment = null, next = null }): ScoreRow => ({
        ...nothing,
        customerId,
        risk,
        horizonDays: risk === null ? null : 60,
        valueMinor: value,
        rfmSegment: segment,
        nextPurchaseAt: next,
        orders: value === null ? 0 : 3,
        spendMinor: 100,
        addressable: addressableChannels({ consent: consentOf(customerId) }),
      }),
    );
    await add(scoreBatch(rows));
  });
  lake.close();
  return id;
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nextbest-list-'));
  service = await startTestService({ redisUrl: url, prefix, bare: true, env: { DATA_DIR: dataDir } });
  for (const { id } of customers)
    await service.call('PUT', `/customers/${encodeURIComponent(id)}`, {
      consent: consentOf(id),
      segment: 'north',
    });
});
afterAll(async () => {
  await service.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function list(query = '', headers: Record<string, string> = {}) {
  const answer = await fetch(`${service.url}/customers${query}`, { headers });
  const text = await answer.text();
  const lines = text.split('\n').filter((line) => line !== '');
  const isNdjson = answer.headers.get('content-type')?.startsWith('application/x-ndjson') === true;
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    rows: isNdjson ? lines.map((line) => JSON.parse(line)) : [],
    problem: answer.status >= 400 ? JSON.parse(text) : undefined,
    cursor: answer.headers.get('x-next-cursor'),
  };
}
const idsOf = ({ rows }: { rows: { customerId: string }[] }) => rows.map(({ customerId }) => customerId);

test('before the first scoring it says what makes one', async () => {
  const { status, problem } = await list();
  expect(status).toBe(409);
  expect(problem).toMatchObject({ code: 'CONFLICT', detail: expect.stringContaining('score-customers') });
});

describe('an empty list says why', () => {
  const why = async (query: string) => {
    const { rows, status, headers } = await list(query);
    expect([status, rows]).toEqual([200, []]);
    return headers.get('x-warning');
  };

  test('nobody consented, nobody is above, nobody is all of it', async () => {
    await score(customers);
    expect(await why('?channel=phone')).toMatch(/None of the 5 .* consented to phone: PUT \/customers/);
    expect(await why('?riskAbove=0.95')).toBe(
      "None of the 5 scored customers is on the list: nobody's risk is above 0.95.",
    );
    expect(await why('?valueAbove=9000&channel=phone')).toMatch(/value is above 9000; nobody is known to/);
    expect(await why('?rfmSegment=promising')).toMatch(/nobody is in these RFM segments/);
    expect(await why('?rfmSegment=champion&riskAbove=0.8')).toMatch(/each filter holds for some/);
    expect((await list('?riskAbove=0.5')).headers.get('x-warning')).toBeNull();
  });

  test('a model was missing, or everybody is', async () => {
    const none = { churn: null, customerValue: null };
    await score([{ id: 'ann', risk: null, value: null }], none);
    expect(await why('?riskAbove=0.1')).toMatch(
      /no churn model was served .* train-churn and then score-customers/,
    );
    expect(await why('?valueAbove=1&rfmSegment=champion')).toMatch(
      /: no model of customer value was .*train-customer-value [^;]*\.$/,
    );
    await score([], none);
    expect(await why('')).toMatch(/no customer has a record yet/);
  });
});

describe('scored', () => {
  beforeAll(() => score(customers));

  test('all, those at the highest risk first, unknown last; consent and segment are those of now', async () => {
    const answer = await list();
    expect(answer.status).toBe(200);
    expect(idsOf(answer)).toEqual(['ann', 'cem', 'dee, "the first"', 'bob', 'eve']);
    expect(answer.rows[0]).toMatchObject({
      rfmSegment: 'atRisk',
      risk: 0.9,
      riskHorizonDays: 60,
      valueMinor: 5000,
      nextPurchaseAt: new Date(scoredAt + 5e8).toISOString(),
      consent: ['email'],
      segment: 'north',
      loyaltyTier: null,
    });
    expect(answer.rows[4]).toMatchObject({ risk: null, valueMinor: null, rfmSegment: null, orders: 0 });
    expect(answer.cursor).toBeNull();
    expect(answer.headers.get('x-scored-at')).toBe(new Date(scoredAt).toISOString());
  });

  test.each([
    ['?sort=value', ['bob', 'dee, "the first"', 'ann', 'cem', 'eve']],
    ['?sort=valueAtRisk', ['ann', 'dee, "the first"', 'bob', 'cem', 'eve']],
    ['?sort=nextPurchase', ['bob', 'dee, "the first"', 'ann', 'cem', 'eve']],
    ['?sort=customerId', ['ann', 'bob', 'cem', 'dee, "the first"', 'eve']],
    ['?riskAbove=0.5', ['ann', 'cem']],
    ['?riskAbove=0.5&valueAbove=100', ['ann']],
    ['?rfmSegment=champion,lost', ['cem', 'dee, "the first"', 'bob']],
    ['?rfmSegment=champion&segment=lost&limit=2', ['cem', 'dee, "the first"']],
    ['?segment=hibernating', []],
  ])('%s', async (query, ids) => {
    expect(idsOf(await list(query))).toEqual(ids);
  });

  test('for e-mail only those who consent now; for the web, where they come by themselves, all', async () => {
    expect(idsOf(await list('?channel=email&sort=customerId'))).toEqual([
      'ann',
      'cem',
      'dee, "the first"',
      'eve',
    ]);
    // Who cannot be addressed takes nobody's place on a page.
    const { rows, cursor } = await list('?channel=email&sort=customerId&limit=2');
    expect(idsOf({ rows })).toEqual(['ann', 'cem']);
    expect(cursor).not.toBeNull();
    expect(idsOf(await list('?channel=phone'))).toEqual([]);
    expect(await list('?channel=web')).toMatchObject({ rows: { length: 5 } });
    // From messages of the app.
    await service.call('POST', '/events', {
      type: 'marketingContact',
      customerId: 'ann',
      channel: 'app',
      outcome: 'unsubscribed',
    });
    expect(idsOf(await list('?channel=app&sort=customerId'))).toEqual([
      'bob',
      'cem',
      'dee, "the first"',
      'eve',
    ]);
    // Withdrawn since the night.
    await service.call('PUT', '/customers/cem', { consent: { email: false } });
    expect(idsOf(await list('?channel=email&sort=customerId'))).toEqual(['ann', 'dee, "the first"', 'eve']);
  });

  test('page by page: everybody once, in the one order, by the cursor and by the link', async () => {
    const seen: string[] = [];
    let query = '?sort=value&limit=2';
    for (let page = 0; page < 3; page++) {
      const answer = await list(query);
      seen.push(...idsOf(answer));
      if (page === 2) expect(answer.cursor).toBeNull();
      else {
        const link = /^<\/customers(\?[^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
        query = page === 0 ? `?sort=value&limit=2&cursor=${answer.cursor}` : String(link);
      }
    }
    expect(seen).toEqual(['bob', 'dee, "the first"', 'ann', 'cem', 'eve']);
  });

  test('CSV by the format or by Accept, with what needs quotes in quotes', async () => {
    const asked = await list('?format=csv&sort=customerId');
    expect(asked.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [head, ...lines] = asked.text.trimEnd().split('\r\n');
    expect(head).toMatch(/^customerId,rfmSegment,risk,riskHorizonDays,/);
    expect(lines).toHaveLength(5);
    expect(lines[3]).toMatch(/^"dee, ""the first""",champion,0.5,60,/);
    expect(lines[4]).toMatch(/^eve,,,,/);
    const accepted = await list('?sort=customerId', { accept: 'text/csv, application/x-ndjson;q=0.5' });
    expect(accepted.text).toBe(asked.text);
    const both = await list('?format=ndjson&limit=1', { accept: 'text/csv' });
    expect(both.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect((await list('?segment=hibernating&format=csv')).text).toBe(`${head}\r\n`);
  });

  test('what a spreadsheet would take for a formula is text in CSV, and as it is in NDJSON', async () => {
    const ids = ['=1+1', '@SUM(A1)', '-2+3', '＝1', '+49 30 1', '+49301', '-7', "it's"];
    for (const id of ids)
      await service.call('PUT', `/customers/${encodeURIComponent(id)}`, { segment: '=cmd|\'/C calc\'!"A1"' });
    await score(ids.map((id) => ({ id, risk: 0.5, value: -3 })));
    const csv = (await list('?format=csv')).text.trimEnd().split('\r\n').slice(1);
    expect(csv.map((line) => line.split(',')[0]).sort()).toEqual(
      ["'=1+1", "'@SUM(A1)", "'-2+3", "'＝1", "'+49 30 1", '+49301', '-7', "it's"].sort(),
    );
    for (const line of csv) {
      expect(line).toMatch(/,"'=cmd\|'\/C calc'!""A1"""$/);
      expect(line).toContain(',-3,');
    }
    expect(idsOf(await list()).sort()).toEqual([...ids].sort());
    await score(customers);
  });

  test('HEAD answers the headers alone', async () => {
    const answer = await fetch(`${service.url}/customers?limit=2`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-next-cursor')).toMatch(/^[\w-]+$/);
    expect(await answer.text()).toBe('');
  });

  test.each([
    ['?segment=best', 'query.segment'],
    ['?riskAbove=1.5', 'query.riskAbove'],
    ['?riskAbove=', 'query.riskAbove'],
    ['?valueAbove=1.5', 'query.valueAbove'],
    ['?channel=fax', 'query.channel'],
    ['?sort=name', 'query.sort'],
    ['?limit=0', 'query.limit'],
    ['?limit=10001', 'query.limit'],
    ['?format=xlsx', 'query.format'],
    ['?cursor=nonsense', 'query.cursor'],
    [`?cursor=${Buffer.from('{"snapshot":"../../etc"}').toString('base64url')}`, 'query.cursor'],
    ['?risk=1', 'query.risk'],
  ])('%s is refused, and the fault says where', async (query, path) => {
    const { status, problem } = await list(query);
    expect(status).toBe(400);
    expect(problem.faults.map((fault: { path: string }) => fault.path.replace(/\[\d+\]$/, ''))).toContain(
      path,
    );
  });

  test('a cursor belongs to its filters and order, not to a page’s length', async () => {
    const { cursor } = await list('?sort=value&limit=1');
    expect((await list(`?sort=value&limit=3&cursor=${cursor}`)).status).toBe(200);
    expect((await list(`?sort=risk&cursor=${cursor}`)).problem.faults[0].path).toBe('query.cursor');
    expect((await list(`?sort=value&riskAbove=0.1&cursor=${cursor}`)).status).toBe(400);
  });

  test('a cursor that names no customer is none', async () => {
    const { cursor } = await list('?limit=1');
    const forged = { ...JSON.parse(Buffer.from(cursor ?? '', 'base64url').toString()), customerId: '\0' };
    const { status, problem } = await list(
      `?cursor=${Buffer.from(JSON.stringify(forged)).toString('base64url')}`,
    );
    expect(status).toBe(400);
    expect(problem.faults[0].path).toBe('query.cursor');
  });

  test('who has no record any more is left out', async () => {
    await score([...customers, { id: 'zoe', risk: 0.99, value: 1 }]);
    expect(idsOf(await list('?sort=customerId'))).not.toContain('zoe');
  });

  test('pages go on through their own snapshot while a new one is there, and end with 410 once it is cleared', async () => {
    const first = await list('?sort=customerId&limit=2');
    await score([{ id: 'bob', risk: 0.1, value: 1, segment: 'new' }]);
    const second = await list(`?sort=customerId&limit=2&cursor=${first.cursor}`);
    expect(idsOf(second)).toEqual(['cem', 'dee, "the first"']);
    expect(idsOf(await list())).toEqual(['bob']);
    await score(customers);
    const gone = await list(`?sort=customerId&limit=2&cursor=${first.cursor}`);
    expect(gone.status).toBe(410);
    expect(gone.problem).toMatchObject({ code: 'GONE', detail: expect.stringContaining('begin again') });
  });

  test('scores that are damaged on the disk are told of with the cure, and the next ones are answered', async () => {
    const part = join(dataDir, 'scores', await score(customers), 'part-0000.parquet');
    await truncate(part, (await stat(part)).size - 10);
    const { status, problem } = await list();
    expect([status, problem.code]).toEqual([503, 'LAKE_UNREADABLE']);
    expect(problem.detail).toContain('score-customers');
    await score(customers);
    expect(await list()).toMatchObject({ status: 200, rows: { length: 5 } });
  });

  test('many at once are all answered, or told to come back', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => list('?limit=3')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    for (const { status, rows, problem } of answers) {
      if (status === 200) expect(rows).toHaveLength(3);
      else expect(problem.code).toBe('TOO_MANY_REQUESTS');
    }
  });
});

/** The route's own answer, before anybody reads of it. */
function answerOf(deps: Deps) {
  const query = { rfmSegment: [], segment: [], sort: 'risk', limit: 10 };
  return customerListRoute.handler(
    { query, params: undefined, body: undefined, accept: undefined, search: '' },
    deps,
  );
}

test('readers who do not read are bounded, and whoever goes away makes room', async () => {
  await score(customers);
  const scores = createScoreReader(dataDir, { value: 0 });
  onTestFinished(() => scores.close());
  const records = { readMany: async (ids: readonly string[]) => ids.map(() => undefined) };
  const deps = { scores, records } as unknown as Deps;
  const held: AsyncIterator<string>[] = [];
  const fill = async () => {
    for (;;) held.push(((await answerOf(deps)).body as AsyncIterable<string>)[Symbol.asyncIterator]());
  };
  await expect(fill()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  expect(held.length).toBeGreaterThan(1);
  // One before anything was read of it, one in the middle.
  await held[0]?.return?.();
  await held[1]?.next();
  await held[1]?.return?.();
  const before = held.length;
  await expect(fill()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  expect(held.length).toBe(before + 2);
});

test('a Redis that is away is a 503, not half a list', async () => {
  const away = Object.assign(new Error('Connection is closed.'), { name: 'MaxRetriesPerRequestError' });
  const rows = [{ customerId: 'ann' } as never];
  let released = 0;
  const snapshot = { id: '20261120T040000Z-00000000', scoredAt: '2026-11-20T04:00:00.000Z' } as Snapshot;
  const deps = {
    scores: { page: async () => ({ snapshot, rows, next: undefined, release: () => released++ }) },
    records: { readMany: () => Promise.reject(away) },
  } as unknown as Deps;
  await expect(answerOf(deps)).rejects.toBe(away);
  expect(asAppError(away).status).toBe(503);
  expect(released).toBe(1);
});

test('a Redis that stalls in the midst of a page does not end it', async () => {
  const ids = Array.from({ length: 300 }, (_, n) => `c${n}`);
  const never = { nextPurchaseAt: null, earliestAt: null, latestAt: null, lastOrderAt: null };
  const rows = ids.map((customerId) => ({ customerId, orders: 0, spendMinor: 0, ...never }));
  const snapshot = { id: '20261120T040000Z-00000000', scoredAt: '2026-11-20T04:00:00.000Z' } as Snapshot;
  let asked = 0;
  const readMany = async (some: readonly string[]) => {
    if (++asked === 2) throw new Error('Command timed out');
    return some.map(() => ({ attributes: {} }));
  };
  const deps = {
    scores: { page: async () => ({ snapshot, rows, next: undefined, release: () => {} }) },
    records: { readMany },
  } as unknown as Deps;
  const { body } = await answerOf(deps);
  let text = '';
  for await (const piece of body as AsyncIterable<string>) text += piece;
  const listed = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).customerId);
  expect(listed).toEqual(ids);
});

test('a page that is on its way to a slow reader counts among those at once, until it is given back', async () => {
  await score(customers);
  const atLake = { value: 0 };
  const reader = createScoreReader(dataDir, atLake);
  onTestFinished(reader.close);
  const ask = () =>
    reader.page({
      segments: [],
      riskAbove: undefined,
      valueAbove: undefined,
      channel: undefined,
      sort: 'risk',
      limit: 1,
      after: undefined,
    });
  const held = await Promise.all(Array.from({ length: 16 }, ask));
  await expect(ask()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  expect(atLake.value).toBe(16);
  held[0]!.release();
  held[0]!.release();
  expect(atLake.value).toBe(15);
  expect((await ask()).rows).toHaveLength(1);
  await expect(ask()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
});
