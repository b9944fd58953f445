/** A campaign's list over HTTP, with real workers, one of which is killed in the middle of it. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { sandbox } from '../../support/nextbest.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
let service: TestService;
const box = await sandbox();

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
  const offer = { name: 'Five', benefit: { kind: 'amountOff', amountMinor: 50 }, channels: ['web', 'email'] };
  expect((await service.call('PUT', '/offers/five', offer)).status).toBe(200);
});
afterAll(() => service.close());

const ask = (body: object) => service.call('POST', '/offers/batch', body);
const about = { customerIds: ['anna', 'bert'], channel: 'web' };
const startWorker = () =>
  box.start(['worker'], {
    REDIS_URL: redisUrl,
    KEY_PREFIX: prefix,
    DATA_DIR: join(service.modelsDir, '..', 'data'),
    MODELS_DIR: service.modelsDir,
    LOG_LEVEL: 'silent',
  });

describe('what is asked', () => {
  test('every fault is named', async () => {
    const { status, body } = await ask({ channel: 'pigeon', campaign: '', format: 'pdf', limit: 0 });
    expect(status).toBe(400);
    const paths = body.faults.map(({ path }: { path: string }) => path).sort();
    expect(paths).toEqual(['body.campaign', 'body.channel', 'body.format', 'body.limit']);
  });

  test('who is meant is said in exactly one way', async () => {
    const { body } = await ask({ channel: 'web', campaign: 'x', everybody: true, segment: 'north' });
    expect(body.faults[0].message).toMatch(/exactly one of customerIds, segment, eligibility, everybody/);
    expect((await ask({ channel: 'web', campaign: 'x' })).status).toBe(400);
  });

  test('an RFM segment is none of the shop’s: the answer says how each is asked for, and which there are', async () => {
    const { status, body } = await ask({ channel: 'web', campaign: 'x', segment: 'champion' });
    expect(status).toBe(400);
    expect(body.faults).toHaveLength(1);
    const [{ path, message }] = body.faults;
    expect(path).toBe('body.segment');
    expect(message).toContain('{"score":"rfmSegment","in":["champion"]}');
    expect(message).toMatch(/RFM segments are champion, loyal, .*, lost$/);
    // As it says.
    for (const kind of ['score":"rfmSegment', 'attribute":"segment']) {
      const eligibility = JSON.parse(`{"${kind}","in":["champion"]}`);
      const other = await ask({ channel: 'web', campaign: kind, eligibility });
      expect(other.status).toBe(202);
      await service.call('POST', `/offers/batch/${other.body.jobId}/cancel`);
    }
    const misspelt = { score: 'rfmSegment', in: ['champoin'] };
    const unknown = await ask({ channel: 'web', campaign: 'x', eligibility: misspelt });
    expect(unknown.body.faults[0].message).toMatch(/known are champion, loyal/);
  });

  test('a rule names features that there are', async () => {
    const eligibility = { all: [{ feature: 'shoeSize', gt: 40 }] };
    const { body } = await ask({ channel: 'web', campaign: 'x', eligibility });
    expect(body.faults).toMatchObject([{ path: 'body.eligibility.all[0].feature' }]);
  });
});

test('the same request is the same job; another campaign is another', async () => {
  const first = await ask({ ...about, campaign: 'one' });
  expect(first.status).toBe(202);
  expect(first.headers.get('location')).toBe(`/offers/batch/${first.body.jobId}`);
  expect((await ask({ ...about, campaign: 'one' })).body.jobId).toBe(first.body.jobId);
  expect((await ask({ ...about, campaign: 'other' })).body.jobId).not.toBe(first.body.jobId);
});

test('a batch that waits can be cancelled and gone on with; its result is not there yet', async () => {
  const { jobId } = (await ask({ ...about, campaign: 'waiting' })).body;
  for (const query of ['', '?format=ndjson'])
    expect((await service.call('GET', `/offers/batch/${jobId}/result${query}`)).status).toBe(409);
  const inCsv = await service.call('GET', `/offers/batch/${jobId}/result?format=csv`);
  expect(inCsv.status).toBe(400);
  expect(inCsv.body.faults).toMatchObject([
    {
      path: 'query.format',
      message: expect.stringMatching(/^must be ndjson, .* "format":"csv" makes it in csv/),
    },
  ]);
  const cancelled = await service.call('POST', `/offers/batch/${jobId}/cancel`);
  expect(cancelled.body.state).toBe('cancelled');
  expect((await service.call('POST', `/offers/batch/${jobId}/resume`)).body.state).toBe('waiting');
  await service.call('POST', `/offers/batch/${jobId}/cancel`);
});

test('what there is not is not found, and no path can be smuggled in', async () => {
  for (const path of ['', '/result']) {
    expect((await service.call('GET', `/offers/batch/batch-0000000000000000${path}`)).status).toBe(404);
    expect((await service.call('GET', `/offers/batch/..%2F..%2Fetc${path}`)).status).toBe(400);
  }
});

test('the list is made, and stands: whoever asks at send time is answered the same', async () => {
  const worker = startWorker();
  const { jobId } = (await ask({ ...about, campaign: 'made', includeNothing: true })).body;
  const done = await eventually(async () => {
    const { body } = await service.call('GET', `/offers/batch/${jobId}`);
    expect(body.state).toBe('completed');
    return body;
  });
  expect(done).toMatchObject({ share: 1, counts: { customers: 2, decided: 2 } });
  const { type, text } = await download(jobId);
  expect(type).toMatch(/ndjson/);
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ customerId }) => customerId)).toEqual(['anna', 'bert']);
  for (const line of lines) {
    const path = `/customers/${line.customerId}/offers?channel=web&campaign=made`;
    const { body } = await service.call('GET', path);
    expect(body.decisionId).toBe(line.decisionId);
    if (line.offers.length === 0) continue;
    const outcome = { offerId: line.offers[0].offerId, outcome: 'clicked' };
    const told = await service.call('POST', `/decisions/${line.decisionId}/outcomes`, outcome);
    expect(told.status).toBe(202);
  }
  expect((await service.call('DELETE', '/customers/bert')).status).toBe(202);
  expect((await download(jobId)).text).toBe(text.slice(0, text.indexOf('\n') + 1));
  expect((await service.call('POST', `/offers/batch/${jobId}/cancel`)).status).toBe(409);
  expect((await service.call('POST', `/offers/batch/${jobId}/resume`)).status).toBe(409);
  expect(done.warnings).toBeUndefined();
  const nobody = (await ask({ segment: 'nroth', channel: 'web', campaign: 'slip' })).body;
  await eventually(async () => {
    const { body } = await service.call('GET', `/offers/batch/${nobody.jobId}`);
    expect(body.state).toBe('completed');
    expect(body.warnings).toEqual([expect.stringContaining('Nobody is in the segment "nroth".')]);
  });
  await worker.stop();
});

test('a worker that is killed in the middle of it: another goes on, and each customer is decided once', async () => {
  const customerIds = Array.from({ length: 20_500 }, (_, n) => `k${n}`);
  const first = startWorker();
  const { jobId } = (await ask({ customerIds, channel: 'web', campaign: 'killed', includeNothing: true }))
    .body;
  const status = async () => (await service.call('GET', `/offers/batch/${jobId}`)).body;
  await eventually(async () => expect((await status()).counts.decided).toBeGreaterThanOrEqual(10_000));
  first.process.kill('SIGKILL');
  await first.ended;
  const second = startWorker();
  await eventually(async () => expect((await status()).state).toBe('completed'));
  const { text } = await download(jobId);
  const ids = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).customerId);
  expect(ids).toHaveLength(customerIds.length);
  expect(new Set(ids).size).toBe(customerIds.length);
  await second.stop();
});

async function download(jobId: string): Promise<{ type: string | null; text: string }> {
  const response = await fetch(`${service.url}/offers/batch/${jobId}/result`);
  expect(response.status).toBe(200);
  return { type: response.headers.get('content-type'), text: await response.text() };
}
