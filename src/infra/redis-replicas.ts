/** The replicas of a server, which a client of the server or of its cluster does not talk to by itself. */
import { Redis } from 'ioredis';
import type { RedisNode } from './redis-address.ts';

const answerWithinMs = 10_000;

export type Replicas = {
  /** Where the server says that they are. */
  nodes: RedisNode[];
  /** false: some have not got all of the server's data yet, or the server does not say where they are. */
  allInStep: boolean;
};

/** Those that are connected to the server now. Rejects where the server does not let its clients ask. */
export async function replicasOf(server: Redis): Promise<Replicas> {
  const info = await server.info('replication');
  const connected = Number(/^connected_slaves:(\d+)/m.exec(info)?.[1] ?? 0);
  const nodes = [...info.matchAll(/^slave\d+:ip=([^,]+),port=(\d+),state=online,/gm)].map(
    ([, host = '', port]) => ({ host, port: Number(port) }),
  );
  return { nodes, allInStep: nodes.length === connected };
}

/**
 * A connection to a replica of the server, with the server's user, password and TLS: it tries once, and no command takes longer
 * than ten seconds. The caller disconnects it. Rejects where the replica cannot be reached from here.
 */
export async function connectReplica(server: Redis, { host, port }: RedisNode): Promise<Redis> {
  const { username, password, tls } = server.options;
  const replica = new Redis({
    host,
    port,
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls }),
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: answerWithinMs,
    commandTimeout: answerWithinMs,
  });
  // What fails is told by the command that fails.
  replica.on('error', () => {});
  try {
    await replica.connect();
    return replica;
  } catch (err) {
    replica.disconnect();
    throw err;
  }
}
