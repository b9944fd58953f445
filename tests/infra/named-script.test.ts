import { expect, test } from 'vitest';
import { bindInputs, inOrder, namedScript } from '../../src/infra/named-script.ts';
import { redisScript } from '../../src/infra/redis-script.ts';
import { testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();
const [count, total] = [`{${prefix}}:count`, `{${prefix}}:total`];

test('each name is what was given under it, in whatever order it was given, and the rest follows', async () => {
  const script = namedScript(
    { keys: ['counter', 'sum'], args: ['step', 'label'] },
    `
local rest = {}
for i = firstOfRest, #ARGV do rest[#rest + 1] = ARGV[i] end
return {redis.call('INCRBY', counter, step), redis.call('INCRBY', sum, #rest), label, rest}
`,
  );
  const given = { label: 'tea', sum: total, step: 5, counter: count };
  expect(await script(redis, given, ['x', 2])).toEqual([
    5,
    2,
    Buffer.from('tea'),
    [Buffer.from('x'), Buffer.from('2')],
  ]);
  expect(await script(redis, given)).toEqual([10, 2, Buffer.from('tea'), []]);
  expect(await redis.mget(count, total)).toEqual(['10', '2']);
});

test('a function of a script binds its own names, and what is called by them changes nothing outside', async () => {
  const inner = { keys: [], args: ['left', 'right'] } as const;
  const script = redisScript(
    `local left = 'outside' local function joined(KEYS, ARGV) ${bindInputs(inner)} return left .. right end
     return joined({}, ARGV) .. left`,
  );
  const { keys, args } = inOrder(inner, { right: '2', left: '1' });
  expect(await script(redis, keys, args)).toEqual(Buffer.from('12outside'));
});
