/** What Redis keeps on disk still tells of what was deleted, until it is written anew. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Compaction } from '../../domain/erasure.ts';
import { type Redis, serversOf } from '../../infra/redis.ts';
import type { RedisNode } from '../../infra/redis-address.ts';
import { connectReplica, replicasOf } from '../../infra/redis-replicas.ts';

const pollMs = 100;

/** Rejects where a server could not write its files. */
export async function compactRedis(redis: Redis): Promise<Compaction> {
  const outcomes: Compaction[] = [];
  for (const server of serversOf(redis))
    outcomes.push(await compactServer(server), await compactReplicas(server));
  return worst.find((outcome) => outcomes.includes(outcome)) ?? 'none';
}

const worst: readonly Compaction[] = ['refused', 'replicasNotAsked', 'rewritten', 'none'];

/** After their server: by then they have got what it was told to delete, or say that they lag. */
async function compactReplicas(server: Redis): Promise<Compaction> {
  try {
    const { nodes, allInStep } = await replicasOf(server);
    const outcomes: Compaction[] = [];
    for (const node of nodes) outcomes.push(await compactReplica(server, node));
    if (!allInStep || outcomes.includes('replicasNotAsked')) return 'replicasNotAsked';
    return outcomes.includes('rewritten') ? 'rewritten' : 'none';
  } catch (err) {
    if (isForbidden(err)) return 'replicasNotAsked';
    throw err;
  }
}

async function compactReplica(server: Redis, node: RedisNode): Promise<Compaction> {
  let replica: Redis;
  try {
    replica = await connectReplica(server, node);
  } catch {
    return 'replicasNotAsked';
  }
  try {
    // One that has lost its server would write what it was not told to delete.
    if (!/^master_link_status:up/m.test(await replica.info('replication'))) return 'replicasNotAsked';
    const own = await compactServer(replica);
    const further = await compactReplicas(replica);
    if (own === 'refused' || further === 'replicasNotAsked') return 'replicasNotAsked';
    return own === 'rewritten' ? own : further;
  } finally {
    replica.disconnect();
  }
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
    if (isForbidden(err)) return 'refused';
    throw err;
  }
}

function isForbidden(err: unknown): boolean {
  return err instanceof Error && /NOPERM|unknown command|not allowed|not permitted/i.test(err.message);
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
