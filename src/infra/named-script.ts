/**
 * A Lua script whose keys and arguments have names. Redis numbers them: here their order is told once, and both the script and
 * whoever runs it go by the names, so that one more cannot shift the others.
 */
import type { Redis } from './redis.ts';
import { type RedisScriptOptions, redisScript } from './redis-script.ts';

export type ScriptValue = string | number | Buffer;

/** Names of what a script, or a Lua function of the tables KEYS and ARGV, is given, in the order of those tables; locals there. */
export type ScriptInputs<K extends string, A extends string> = { keys: readonly K[]; args: readonly A[] };

/** A value for each name. */
export type GivenInputs<K extends string, A extends string> = Record<K, string> & Record<A, ScriptValue>;

export type NamedScript<K extends string, A extends string> = (
  redis: Redis,
  given: GivenInputs<K, A>,
  /** What has no name: as many as there are. */
  rest?: readonly ScriptValue[],
) => Promise<unknown>;

/** In `lua` each name is a local, and what has no name is in ARGV from `firstOfRest` on. Texts in the reply come as Buffers. */
export function namedScript<const K extends string, const A extends string>(
  inputs: ScriptInputs<K, A>,
  lua: string,
  options?: RedisScriptOptions,
): NamedScript<K, A> {
  const script = redisScript(`${bindInputs(inputs)}${lua}`, options);
  return (redis, given, rest = []) => {
    const { keys, args } = inOrder(inputs, given, rest);
    return script(redis, keys, args);
  };
}

/** Lua that makes the names locals, to stand where tables KEYS and ARGV are in sight. */
export function bindInputs({ keys, args }: ScriptInputs<string, string>): string {
  const bind = (names: readonly string[], table: string) =>
    names.length === 0
      ? ''
      : `local ${names.join(', ')} = ${names.map((_, n) => `${table}[${n + 1}]`).join(', ')}\n`;
  return `${bind(keys, 'KEYS')}${bind(args, 'ARGV')}local firstOfRest = ${args.length + 1}\n`;
}

/** The values as the tables KEYS and ARGV are to hold them. */
export function inOrder<K extends string, A extends string>(
  { keys, args }: ScriptInputs<K, A>,
  given: GivenInputs<K, A>,
  rest: readonly ScriptValue[] = [],
): { keys: string[]; args: ScriptValue[] } {
  return {
    keys: keys.map((name): string => given[name]),
    args: [...args.map((name) => given[name]), ...rest],
  };
}
