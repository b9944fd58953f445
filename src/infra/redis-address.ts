/**
 * Where a Redis is, as the environment writes it:
 * - `redis://[user:password@]host:port[/db]`, with TLS `rediss://`: one server;
 * - `redis-cluster://[user:password@]host:port,host:port,…`, `rediss-cluster://`: some nodes of a Redis Cluster, which name the others;
 * - `redis-sentinel://[user:password@]host:port,…/name`, `rediss-sentinel://`: sentinels, and the name of the primary that they watch.
 * User and password are those of the servers. An IPv6 address stands in brackets.
 */
import { z } from 'zod';

export type RedisNode = { host: string; port: number };

export type RedisAddress = { username?: string; password?: string; tls: boolean } & (
  | { kind: 'server'; url: string }
  | { kind: 'cluster'; nodes: RedisNode[] }
  | { kind: 'sentinel'; nodes: RedisNode[]; primary: string }
);

const defaultPorts = { cluster: 6379, sentinel: 26_379 };

/** undefined where the text is no such address. Total. */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const [, scheme = '', kind = '', rest = ''] =
    /^(rediss?)(?:-(cluster|sentinel))?:\/\/(.+)$/.exec(text) ?? [];
  const tls = scheme === 'rediss';
  if (scheme === '') return undefined;
  if (kind === '') return isUrl(text) ? { kind: 'server', url: text, tls } : undefined;
  const [, userinfo = '', hosts = '', path = ''] = /^(?:([^@/]*)@)?([^@/]+)(?:\/([^/]*))?$/.exec(rest) ?? [];
  const credentials = credentialsOf(userinfo);
  const nodes = hosts.split(',').map((host) => nodeOf(host, defaultPorts[kind as keyof typeof defaultPorts]));
  if (credentials === undefined || hosts === '' || !allKnown(nodes)) return undefined;
  if (kind === 'cluster') return path === '' ? { kind, nodes, tls, ...credentials } : undefined;
  return /^[\w.-]+$/.test(path) ? { kind: 'sentinel', nodes, primary: path, tls, ...credentials } : undefined;
}

/** The same as a setting. */
export const RedisUrl = z
  .string()
  .refine(
    (text) => parseRedisAddress(text) !== undefined,
    'must look like redis://host:6379, redis-cluster://host:6379,host:6379 or redis-sentinel://host:26379,host:26379/name',
  );

function isUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).hostname !== '';
}

function nodeOf(text: string, defaultPort: number): RedisNode | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = Number(port ?? defaultPort);
  return host === undefined || number < 1 || number > 65_535 ? undefined : { host, port: number };
}

function allKnown(nodes: (RedisNode | undefined)[]): nodes is RedisNode[] {
  return nodes.every((node) => node !== undefined);
}

function credentialsOf(userinfo: string): { username?: string; password?: string } | undefined {
  if (userinfo === '') return {};
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/.exec(userinfo) ?? [];
  try {
    return {
      ...(user !== '' && { username: decodeURIComponent(user) }),
      ...(password !== undefined && { password: decodeURIComponent(password) }),
    };
  } catch {
    return undefined;
  }
}
