import type { Histogram } from 'prom-client';
import type { Redis } from '../infra/redis.ts';

/** Commands that the service sends; whatever else is counted as one. */
const commands = new Set([
  'get',
  'set',
  'mget',
  'del',
  'hget',
  'hset',
  'hdel',
  'hmget',
  'hgetall',
  'hincrby',
  'eval',
  'evalsha',
  'exec',
  'xadd',
  'xlen',
  'xrange',
  'xread',
  'exists',
  'sadd',
  'hscan',
  'ping',
]);

/** Times every command of a client, from its sending to its reply; pipelined ones too, each by itself. */
export function measureRedis(redis: Redis, duration: Histogram<'command' | 'outcome'>): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const startedAt = performance.now();
    const name = command.name.toLowerCase();
    const label = commands.has(name) ? name : 'other';
    const observe = (outcome: 'ok' | 'error') =>
      duration.observe({ command: label, outcome }, (performance.now() - startedAt) / 1000);
    command.promise.then(
      () => observe('ok'),
      () => observe('error'),
    );
    return send(command, stream);
  };
}
