/** What Redis keeps on disk still tells of what was deleted, until it is written anew. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Redis, serversOf } from '../../infra/redis.ts';

const pollMs = 100;

/** `rewritten`: by every server; `none`: nothing is kept on disk; `refused`: a server does not let its clients ask for it. */
export async function compactRedis(redis: Redis): Promise<'rewritten' | 'none' | 'refused'> {
  let outcome: 'rewritten' | 'none' | 'refused' = 'none';
  for (const server of serversOf(redis)) {
    const one = await compactServer(server);
    if (one === 'refused') return one;
    if (one === 'rewritten') outcome = one;
  }
  return outcome;
}

async function compactServer(server: Redis): Promise<'rewritten' | 'none' | 'refused'> {
  try {
    const before = await persistence(server);
    const hasAof = before.get('aof_enabled') === '1';
    const hasSnapshot = Number(before.get('rdb_saves') ?? 0) > 0 || (await savesByItself(server));
    if (!hasAof && !hasSnapshot) return 'none';
    if (hasSnapshot) await run(server, () => server.bgsave('SCHEDULE'), 'rdb_bgsave_in_progress');
    if (hasAof) await run(server, () => server.bgrewriteaof(), 'aof_rewrite_in_progress');
    const after = await persistence(server);
    const failed = [hasAof && 'aof_last_bgrewrite_status', hasSnapshot && 'rdb_last_bgsave_status'].filter(
      (field) => typeof field === 'string' && after.get(field) !== 'ok',
    );
    if (failed.length > 0) throw new Error(`Redis could not write its files anew (${failed.join(', ')})`);
    return 'rewritten';
  } catch (err) {
    if (err instanceof Error && /NOPERM|unknown command|not allowed|not permitted/i.test(err.message))
      return 'refused';
    throw err;
  }
}

/** Starts it, after whatever is under way, and waits for its end. */
async function run(server: Redis, start: () => Promise<unknown>, field: string): Promise<void> {
  const isBusy = async () => {
    const state = await persistence(server);
    return [field, 'aof_rewrite_scheduled', 'rdb_bgsave_in_progress', 'aof_rewrite_in_progress'].some(
      (name) => state.get(name) === '1',
    );
  };
  while (await isBusy()) await sleep(pollMs);
  await start();
  await sleep(pollMs);
  while (await isBusy()) await sleep(pollMs);
}

async function savesByItself(server: Redis): Promise<boolean> {
  const [, save = ''] = (await server.config('GET', 'save')) as string[];
  return save !== '';
}

async function persistence(server: Redis): Promise<Map<string, string>> {
  const info = await server.info('persistence');
  return new Map([...info.matchAll(/^(\w+):(\S*)/gm)].map(([, name = '', value = '']) => [name, value]));
}
