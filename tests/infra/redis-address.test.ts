import { expect, test } from 'vitest';
import { parseRedisAddress } from '../../src/infra/redis-address.ts';

test('one server is left to the client to read', () => {
  for (const url of ['redis://127.0.0.1:6379', 'rediss://u:p@cache.example:6380/2', 'redis://[::1]:7000'])
    expect(parseRedisAddress(url)).toEqual({ kind: 'server', url, tls: url.startsWith('rediss') });
});

test('a cluster is some of its nodes', () => {
  expect(parseRedisAddress('redis-cluster://a:7000,b,[::1]:7002')).toEqual({
    kind: 'cluster',
    tls: false,
    nodes: [
      { host: 'a', port: 7000 },
      { host: 'b', port: 6379 },
      { host: '::1', port: 7002 },
    ],
  });
  expect(parseRedisAddress('rediss-cluster://shop:p%40ss%2Fword@a:7000')).toEqual({
    kind: 'cluster',
    tls: true,
    username: 'shop',
    password: 'p@ss/word',
    nodes: [{ host: 'a', port: 7000 }],
  });
});

test('sentinels watch a primary of a name', () => {
  expect(parseRedisAddress('redis-sentinel://:secret@s1,s2:26380/mymaster')).toEqual({
    kind: 'sentinel',
    tls: false,
    password: 'secret',
    primary: 'mymaster',
    nodes: [
      { host: 's1', port: 26_379 },
      { host: 's2', port: 26_380 },
    ],
  });
});

test.each([
  '',
  'redis://',
  'http://host:6379',
  'host:6379',
  'redis-cluster://',
  'redis-cluster://a,,b',
  'redis-cluster://a:70000',
  'redis-cluster://a:0',
  'redis-cluster://a:7000/1',
  'redis-sentinel://a',
  'redis-sentinel://a/',
  'redis-sentinel://a/one/two',
  'redis-cluster://%zz@a',
  'redis-cluster://a b',
])('"%s" is none', (text) => {
  expect(parseRedisAddress(text)).toBeUndefined();
});
