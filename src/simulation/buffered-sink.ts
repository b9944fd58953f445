/**
 * A sink that hands its lines on in large chunks, with at most one chunk of a file on its way while the next is being
 * filled: the simulation computes while the disk writes, and whichever is slower is waited for.
 */
import { SIMULATED_FILES, type SimulatedFile, type SimulationSink } from './sink.ts';

export type ChunkWriter = (file: SimulatedFile, chunk: Buffer) => Promise<void>;

export type BufferedSink = SimulationSink & {
  /** Hands on what is left, and resolves when everything has been written. */
  flush(): Promise<void>;
};

type Channel = { parts: string[]; length: number; inFlight: Promise<void> | undefined; failed: unknown };

/** `chunkLength`: characters after which a chunk is handed on. A failure of `writeChunk` rejects the next write or flush. */
export function createBufferedSink(writeChunk: ChunkWriter, chunkLength = 1 << 20): BufferedSink {
  const channels = Object.fromEntries(
    SIMULATED_FILES.map((file) => [file, { parts: [], length: 0, inFlight: undefined, failed: undefined }]),
  ) as unknown as Record<SimulatedFile, Channel>;

  function send(file: SimulatedFile, channel: Channel): void {
    const chunk = Buffer.from(channel.parts.join(''));
    channel.parts = [];
    channel.length = 0;
    channel.inFlight = writeChunk(file, chunk).then(
      () => {
        channel.inFlight = undefined;
      },
      (err: unknown) => {
        channel.inFlight = undefined;
        channel.failed = err ?? new Error(`could not write ${file}`);
      },
    );
  }

  async function sendWhenFree(file: SimulatedFile, channel: Channel): Promise<void> {
    await channel.inFlight;
    if (channel.failed !== undefined) throw channel.failed;
    if (channel.length > 0) send(file, channel);
  }

  return {
    write(file, lines) {
      const channel = channels[file];
      channel.parts.push(lines);
      channel.length += lines.length;
      if (channel.length < chunkLength) return undefined;
      if (channel.inFlight !== undefined || channel.failed !== undefined) return sendWhenFree(file, channel);
      send(file, channel);
      return undefined;
    },
    async flush() {
      for (const file of SIMULATED_FILES) {
        await sendWhenFree(file, channels[file]);
        await sendWhenFree(file, channels[file]);
      }
    },
  };
}
