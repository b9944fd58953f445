/** Two readers of one request: what the quick one answers is what the thorough one would. */
import { expect, test } from 'vitest';
import { createRng } from '../../src/algorithms/rng.ts';
import type { Deps } from '../../src/serve/deps.ts';
import { parseQuickly } from '../../src/serve/parse-quickly.ts';
import { parseRequest, type RawRequest } from '../../src/serve/parse-request.ts';
import { ROUTES } from '../../src/serve/routes.ts';

const deps = { scenarios: new Map([['home', {}]]) } as unknown as Deps;
const hotRoutes = ROUTES.filter(({ hot }) => hot);

const names = ['customerId', 'sessionId', 'n', 'scenario', 'itemId', 'category', 'exclude', 'explain'];
const moreNames = [...names, 'channel', 'placement', 'campaign', 'limit', '__proto__', 'what', ''];
const values = [
  ...['anna', 'a%2Fb', 'J%C3%BCrgen', '%E0%A4%A', 'a+b', 'a%2Bb', '%00', 'x'.repeat(201), ''],
  ...['1', '10', '101', '1.5', '-0', '1e1', '0x10', ' 5', 'home', 'nowhere', 'true', 'false', 'TRUE'],
  ...['a,b', ',a,,b,', '%2C', 'email', 'web', 'smoke', 'top', '%20', 'a=b', 'a%26b'],
];

function searches(): string[] {
  const rng = createRng(7);
  const random = () => rng.next();
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: 4000 }, (_, n) => {
    const pairs = Array.from({ length: Math.floor(random() * 5) }, () => {
      const name = pick(random() < 0.9 ? names : moreNames);
      return random() < 0.03 ? name : `${name}=${pick(values)}`;
    });
    return pairs.join(n % 50 === 0 ? '&&' : '&');
  });
}

/** The same route, which nobody asks often. */
const thorough = hotRoutes.map((route) => ({ ...route, hot: false, check: () => [] }));

test('of thousands of queries', () => {
  let read = 0;
  for (const search of ['', ...searches()])
    for (const [at, route] of hotRoutes.entries()) {
      const params = route.params === undefined ? {} : { customerId: 'anna' };
      const raw: RawRequest = { params, search, contentType: undefined, body: undefined };
      // Twice: the second time, values come from what has been read before.
      for (let time = 0; time < 2; time++) {
        const quick = parseQuickly(route, raw);
        if (quick === undefined) continue;
        read++;
        expect(quick, search).toEqual(parseRequest(thorough[at] ?? route, raw, deps));
      }
    }
  expect(read).toBeGreaterThan(1000);
});

test('a query that has been read before is the same object, which nobody can change for the next', () => {
  for (const route of hotRoutes) {
    const customer = { customerId: 'anna' };
    const raw = { params: customer, search: 'explain=true', contentType: undefined, body: undefined };
    const first = parseQuickly(route, raw)?.query;
    expect(first).toMatchObject({ explain: true });
    expect(Object.isFrozen(first)).toBe(true);
    const again = parseQuickly(route, { ...raw, params: { customerId: 'bert' }, accept: 'text/html' });
    expect(again?.query).toBe(first);
    expect(again?.accept).toBe('text/html');
    if (route.params !== undefined) expect(again?.params).toEqual({ customerId: 'bert' });
  }
});

test('what is wrong is left to the thorough one, a path that is none too', () => {
  for (const route of hotRoutes) {
    const raw = { params: { customerId: 'x'.repeat(500) }, contentType: undefined, body: undefined };
    for (const search of ['n=0', 'n=1&n=2', 'what=1', 'n=%', 'scenario=a+b'])
      expect(parseQuickly(route, { ...raw, search }), search).toBeUndefined();
    if (route.params !== undefined) expect(parseQuickly(route, { ...raw, search: '' })).toBeUndefined();
  }
});
