/** What can be wrong with a request, drawn at random: each function spoils one part of it. */
import { gzipSync } from 'node:zlib';
import type { Rng } from '../../../algorithms/rng.ts';
import { pick } from './sample.ts';

/** A request before it is sent. The path is still in its parts, so that each can be spoilt. */
export type Draft = {
  method: string;
  /** Encoded segments. */
  segments: string[];
  /** Encoded pairs. */
  query: [string, string][];
  headers: Record<string, string>;
  /** undefined: none. */
  body: unknown;
  /** Without the header that HTTP/1.1 requires. */
  withoutHost?: boolean;
  /** In place of the path and of the body, where they are no longer made of their parts. */
  rawPath?: string;
  rawBody?: Buffer;
};

/** Values that are seldom expected. */
const oddities: readonly unknown[] = [
  null,
  true,
  false,
  '',
  ' ',
  0,
  -1,
  -0,
  0.1,
  1e308,
  -1e308,
  2 ** 53,
  2 ** 31,
  Number.MIN_VALUE,
  [],
  {},
  [[]],
  [null],
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  'null',
  'undefined',
  '\u0000',
  '\ud800',
  '\u202e',
  '💥',
  'ä'.repeat(300),
  'x'.repeat(10_000),
  "'; DROP TABLE events; --",
  '<script>alert(1)</script>',
  '../../etc/passwd',
  '{{7*7}}',
  '%s%n',
  '{c:anna}',
  '1e400',
  '9'.repeat(400),
  '2026-02-30',
  '+275760-09-13T00:00:00.001Z',
  '0000-01-01T00:00:00Z',
];

/** Small on the wire, ten times the limit when it is unpacked. */
const bomb = gzipSync(Buffer.alloc(10 * 1024 * 1024, 0x20));

const encodedOddities = [
  '%',
  '%zz',
  '%00',
  '%ff',
  '%C0%AF',
  '%E0%A4%A',
  '%2e%2e',
  '..',
  '.',
  '%2F',
  '%5C',
  '+',
  '%20',
  '%F0%9F%92%A5',
  '%ED%A0%80',
  '__proto__',
  'constructor',
  'a;b=c',
  'a,b',
  '{x}',
  '%7Bx%7D',
  'session:x',
  'x'.repeat(300),
  '*',
  '-1',
  'NaN',
  '1e999',
  '0x10',
];

type Spoil = (draft: Draft, rng: Rng) => void;

const spoilSegment: Spoil = (draft, rng) => {
  draft.segments[rng.nextInt(Math.max(1, draft.segments.length))] = pick(encodedOddities, rng);
};
const addSegment: Spoil = (draft, rng) => {
  draft.segments.push(pick(['', 'more', ...encodedOddities], rng));
};
const otherPath: Spoil = (draft, rng) => {
  const path = `/${draft.segments.join('/')}`;
  draft.rawPath = pick(
    [
      `/${path}`,
      path.toUpperCase(),
      `${path}/`,
      `${path}//`,
      `http://example.test${path}`,
      `http://[example${path}`,
      '*',
      `${path}?`,
      `${path}#x`,
      '/docs/../docs',
      '/docs/%2e%2e/package.json',
      '/docs/../../package.json',
      '/favicon.ico',
    ],
    rng,
  );
};
const otherMethod: Spoil = (draft, rng) => {
  draft.method = pick(
    ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PURGE', 'PROPFIND'],
    rng,
  );
};
const addParameter: Spoil = (draft, rng) => {
  draft.query.push([
    pick(['x', '__proto__', 'constructor', 'n', 'customerId', 'a[]', 'a[b]', '', ...encodedOddities], rng),
    pick(encodedOddities, rng),
  ]);
};
const repeatParameter: Spoil = (draft, rng) => {
  const one = draft.query[rng.nextInt(Math.max(1, draft.query.length))];
  if (one === undefined) return addParameter(draft, rng);
  for (let n = pick([1, 2, 500], rng); n > 0; n--) draft.query.push(one);
};
const spoilParameter: Spoil = (draft, rng) => {
  const one = draft.query[rng.nextInt(Math.max(1, draft.query.length))];
  if (one === undefined) return addParameter(draft, rng);
  one[1] = rng.chance(0.5) ? pick(encodedOddities, rng) : encodeURIComponent(asText(pick(oddities, rng)));
};
const spoilHeader: Spoil = (draft, rng) => {
  const [name, value] = pick<[string, string]>(
    [
      ['content-type', 'text/plain'],
      ['content-type', 'application/json; charset=utf-16'],
      ['content-type', 'application/x-ndjson'],
      ['content-type', 'application/x-www-form-urlencoded'],
      ['content-type', 'multipart/form-data; boundary=x'],
      ['content-type', ';;;'],
      ['content-encoding', 'gzip'],
      ['content-encoding', 'br'],
      ['content-encoding', 'x-unknown'],
      ['accept', 'image/png'],
      ['accept', 'text/csv'],
      ['accept', '*/*;q=0'],
      ['accept', 'x'.repeat(5000)],
      ['x-request-id', 'é'.repeat(10)],
      ['x-request-id', 'x'.repeat(5000)],
      ['x-api-key', 'nb_000000000000_'.padEnd(59, 'A')],
      ['authorization', 'Bearer'],
      ['authorization', 'Bearer null'],
      ['origin', 'null'],
      ['range', 'bytes=0-1'],
      ['if-none-match', '*'],
      ['x-http-method-override', 'DELETE'],
      ['x-forwarded-for', '127.0.0.1'],
      ['x-long', 'y'.repeat(17_000)],
      ['expect', '100-continue'],
      ['expect', 'bogus'],
      ['cookie', '__proto__=1'],
    ],
    rng,
  );
  draft.headers[name] = value;
};
const dropHost: Spoil = (draft) => {
  draft.withoutHost = true;
};
const spoilValue: Spoil = (draft, rng) => {
  draft.body = withOddity(draft.body, rng);
};
const otherBody: Spoil = (draft, rng) => {
  draft.body = pick(oddities, rng);
};
const multiplyBody: Spoil = (draft, rng) => {
  const one = Array.isArray(draft.body) ? draft.body[0] : draft.body;
  draft.body = Array(pick([0, 2, 1001, 5001], rng)).fill(one ?? null);
};
const breakText: Spoil = (draft, rng) => {
  const text = Buffer.from(JSON.stringify(draft.body ?? {}));
  const at = rng.nextInt(text.length + 1);
  draft.rawBody = pick(
    [
      () => text.subarray(0, at),
      () => Buffer.concat([text.subarray(0, at), Buffer.from([rng.nextInt(256)]), text.subarray(at)]),
      () => Buffer.concat([Buffer.from('\ufeff'), text]),
      () => Buffer.concat([text, text]),
      () => Buffer.concat([text, Buffer.from('\r\n\r\n'), text, Buffer.from('\n')]),
      () => Buffer.from('['.repeat(100_000)),
      () => Buffer.from(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
      () => Buffer.from(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`),
      () => Buffer.from('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
      () => Buffer.from(`{"a":1,"a":2,${text.subarray(1).toString()}`),
      () => Buffer.from([0xff, 0xfe, 0x22, 0xc3, 0x28]),
      () => Buffer.from('1e999'),
      () => Buffer.from('"\\ud800"'),
      () => Buffer.from('\n'.repeat(50_000)),
      () => Buffer.alloc(1024 * 1024 + 1, 0x20),
      () => bomb,
    ],
    rng,
  )();
  if (draft.rawBody[0] === 0x1f && draft.rawBody[1] === 0x8b) draft.headers['content-encoding'] = 'gzip';
};

const ofAnyRequest: readonly Spoil[] = [
  spoilSegment,
  addSegment,
  otherPath,
  otherMethod,
  addParameter,
  repeatParameter,
  spoilParameter,
  spoilParameter,
  spoilHeader,
  spoilHeader,
  dropHost,
];
const ofBodies: readonly Spoil[] = [
  spoilValue,
  spoilValue,
  spoilValue,
  spoilValue,
  otherBody,
  multiplyBody,
  breakText,
  breakText,
];

export function spoil(draft: Draft, rng: Rng): void {
  const ways = draft.body === undefined ? ofAnyRequest : [...ofAnyRequest, ...ofBodies, ...ofBodies];
  // Now and then a body where none belongs.
  if (draft.body === undefined && rng.chance(0.05)) draft.body = pick(oddities, rng);
  pick(ways, rng)(draft, rng);
}

/** One place within the value is another: replaced, left out, or with a name that nobody expects. */
function withOddity(value: unknown, rng: Rng, depth = 0): unknown {
  const isDeep = typeof value === 'object' && value !== null;
  if (!isDeep || rng.chance(0.15 + 0.05 * depth)) return pick(oddities, rng);
  if (Array.isArray(value)) {
    if (value.length === 0) return [pick(oddities, rng)];
    const at = rng.nextInt(value.length);
    return value.map((element, n) => (n === at ? withOddity(element, rng, depth + 1) : element));
  }
  const entries = Object.entries(value);
  const way = rng.next();
  if (entries.length === 0 || way < 0.15) {
    // JSON.parse makes `__proto__` a property of its own, as a request's body may have.
    const name = JSON.stringify(
      pick(['__proto__', 'constructor', 'x', '', 'toString', 'ä', 'a.b', '$ref'], rng),
    );
    return { ...value, ...JSON.parse(`{${name}:${JSON.stringify(pick(oddities, rng)) ?? 'null'}}`) };
  }
  const at = rng.nextInt(entries.length);
  if (way < 0.3) return Object.fromEntries(entries.filter((_entry, n) => n !== at));
  return Object.fromEntries(
    entries.map(([name, inner], n) => [name, n === at ? withOddity(inner, rng, depth + 1) : inner]),
  );
}

function asText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // What UTF-8 cannot say.
  return text.replace(/\p{Cs}/gu, '?');
}
