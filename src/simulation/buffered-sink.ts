/**
 * A sink that hands its lines on in large chunks, with at most one chunk of a file on its way while the next is being
 * filled: the simulation computes while the disk writes, and whichever is slower is waited for. Each file has two buffers
 * of one chunk, made once: lines are copied into them at once, so that no text outlives its customer.
 */
import { SIMULATED_FILES, type SimulatedFile, type SimulationSink } from './sink.ts';

/** Resolves once the chunk is written; its bytes are used again after that. */
export type ChunkWriter = (file: SimulatedFile, chunk: Uint8Array) => Promise<void>;

export type BufferedSink = SimulationSink & {
  /** Hands on what is left, and resolves when everything has been written. */
  flush(): Promise<void>;
};

/** A failure of `writeChunk` rejects the next write that waits, or the flush. */
export function createBufferedSink(writeChunk: ChunkWriter, chunkBytes = 1 << 20): BufferedSink {
  const channels = new Map<SimulatedFile, Channel>();
  for (const file of SIMULATED_FILES)
    channels.set(file, new Channel((chunk) => writeChunk(file, chunk), chunkBytes));
  const channelOf = (file: SimulatedFile) => channels.get(file) as Channel;
  return {
    write: (file, lines) => channelOf(file).write(lines),
    async flush() {
      for (const file of SIMULATED_FILES) await channelOf(file).flush();
    },
  };
}

class Channel {
  readonly #writeChunk: (chunk: Uint8Array) => Promise<void>;
  #filling: Buffer;
  /** On its way while something is in flight. */
  #other: Buffer;
  #used = 0;
  #inFlight: Promise<void> | undefined;
  #failure: { cause: unknown } | undefined;

  constructor(writeChunk: (chunk: Uint8Array) => Promise<void>, chunkBytes: number) {
    this.#writeChunk = writeChunk;
    this.#filling = Buffer.allocUnsafe(chunkBytes);
    this.#other = Buffer.allocUnsafe(chunkBytes);
  }

  write(lines: string): Promise<void> | undefined {
    const bytes = Buffer.byteLength(lines);
    if (bytes > this.#filling.length) return this.#writeLarge(lines);
    if (bytes > this.#filling.length - this.#used) {
      if (this.#inFlight !== undefined || this.#failure !== undefined) return this.#writeWhenFree(lines);
      this.#send();
    }
    this.#used += this.#filling.write(lines, this.#used);
    return undefined;
  }

  async flush(): Promise<void> {
    await this.#settle();
    this.#send();
    await this.#settle();
  }

  async #writeWhenFree(lines: string): Promise<void> {
    await this.#settle();
    this.#send();
    this.#used += this.#filling.write(lines);
  }

  /** More than a chunk at once goes straight through, after what came before it. */
  async #writeLarge(lines: string): Promise<void> {
    await this.flush();
    await this.#writeChunk(Buffer.from(lines));
  }

  async #settle(): Promise<void> {
    await this.#inFlight;
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  #send(): void {
    if (this.#used === 0) return;
    const chunk = this.#filling.subarray(0, this.#used);
    [this.#filling, this.#other] = [this.#other, this.#filling];
    this.#used = 0;
    this.#inFlight = this.#writeChunk(chunk).then(
      () => {
        this.#inFlight = undefined;
      },
      // Kept for whoever writes next: nobody may be waiting at this moment.
      (cause: unknown) => {
        this.#inFlight = undefined;
        this.#failure = { cause };
      },
    );
  }
}
