import type { Histogram } from 'prom-client';
import type { Redis } from '../infra/redis.ts';

/** What the service sends. A label has few values: whatever else comes to be sent is one of them together. */
const sent = [
  'get',
  'set',
  'mget',
  'exists',
  'sadd',
  'hget',
  'hgetall',
  'hscan',
  'hvals',
  'eval',
  'evalsha',
  'multi',
  'exec',
  'xadd',
  'xlen',
  'ping',
] as const;
/** What the client sends by itself when it connects. */
const greetings = ['hello', 'client', 'info', 'cluster'] as const;

const labels = new Map<string, string>([
  ...sent.map((name) => [name, name] as const),
  ...greetings.map((name) => [name, 'connect'] as const),
]);

/** Times every command of a client, from its sending to its reply; pipelined ones too, each by itself. */
export function measureRedis(redis: Redis, duration: Histogram<'command' | 'outcome'>): void {
  const send = redis.sendCommand.bind(redis);
  // A cluster's client passes the node on, too.
  redis.sendCommand = (command, ...where) => {
    const startedAt = performance.now();
    const label = labels.get(command.name.toLowerCase()) ?? 'other';
    const observe = (outcome: 'ok' | 'error') =>
      duration.observe({ command: label, outcome }, (performance.now() - startedAt) / 1000);
    command.promise.then(
      () => observe('ok'),
      () => observe('error'),
    );
    return send(command, ...where);
  };
}
