import type { Redis } from '../infra/redis.ts';
import type { Observer, ResolvedHistogram } from '../infra/resolved-metrics.ts';

/** What the service sends. A label has few values: whatever else comes to be sent is one of them together. */
const sent = [
  'get',
  'set',
  'del',
  'mget',
  'exists',
  'getrange',
  'sadd',
  'sismember',
  'hget',
  'hgetall',
  'hmget',
  'hset',
  'hkeys',
  'hscan',
  'hvals',
  'eval',
  'evalsha',
  'multi',
  'exec',
  'xadd',
  'xlen',
  'xrange',
  'time',
  'ping',
] as const;
/** What the client sends by itself when it connects. */
const greetings = ['hello', 'client', 'info', 'cluster'] as const;

const labels = new Map<string, string>([
  ...sent.map((name) => [name, name] as const),
  ...greetings.map((name) => [name, 'connect'] as const),
]);

type Outcomes = { ok: Observer; error: Observer };

/** Times every command of a client, from its sending to its reply; pipelined ones too, each by itself. */
export function measureRedis(redis: Redis, duration: ResolvedHistogram<'command' | 'outcome'>): void {
  const observers = new Map<string, Outcomes>();
  const observersOf = (name: string): Outcomes => {
    let found = observers.get(name);
    if (found === undefined) {
      const command = labels.get(name.toLowerCase()) ?? 'other';
      found = {
        ok: duration.with({ command, outcome: 'ok' }),
        error: duration.with({ command, outcome: 'error' }),
      };
      // Names come from the code: there are no more of them than commands.
      observers.set(name, found);
    }
    return found;
  };
  const send = redis.sendCommand.bind(redis);
  // A cluster's client passes the node on, too.
  redis.sendCommand = (command, ...where) => {
    const startedAt = performance.now();
    const { ok, error } = observersOf(command.name);
    command.promise.then(
      () => ok.observe((performance.now() - startedAt) / 1000),
      () => error.observe((performance.now() - startedAt) / 1000),
    );
    return send(command, ...where);
  };
}
