/**
 * The one memory that all threads and their kernels share, and who has which part of it.
 *
 * Layout: bytes 0–63 hold the counter from which threads take rows (so that no array begins at 0, which the kernels
 * read as "none"); from 64 on, arrays one after the other, each on a multiple of 64 bytes, gaps filled by first fit.
 * It grows as needed and never shrinks; arrays never move.
 */

const PAGE_BYTES = 65_536;
/** 4 GiB less the last page: all that 32-bit pointers reach. */
const MOST_SHARED_BYTES = 2 ** 32 - PAGE_BYTES;
const ALIGNMENT = 64;
const GROWTH_BYTES = 2 ** 20;

export type SharedMemory = {
  wasm: WebAssembly.Memory;
  /** The counter of the kernels that run on several threads. */
  counter: Int32Array;
  /** New zeroed arrays. RangeError when the memory does not suffice. */
  float32: (length: number) => Float32Array;
  int32: (length: number) => Int32Array;
  uint8: (length: number) => Uint8Array;
  /** Gives an array back; no view of it may be used any more. */
  release: (array: SharedArray) => void;
  /** Where an array or view lies. TypeError when it is not in this memory. */
  pointerTo: (array: SharedArray) => number;
  usedBytes: () => number;
};

export type SharedArray = Float32Array | Int32Array | Uint8Array;

type Span = { offset: number; bytes: number };

export function createSharedMemory(maxBytes = MOST_SHARED_BYTES): SharedMemory {
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  const mostBytes = Math.min(maxBytes, MOST_SHARED_BYTES);
  const counter = new Int32Array(wasm.buffer, 0, 1);
  // After growth, at a time of the engine's choice, `wasm.buffer` is another object over the same bytes.
  const buffers = new WeakSet<ArrayBufferLike>([counter.buffer]);
  const taken = new Map<number, number>();
  let gaps: Span[] = [];
  let end = ALIGNMENT;
  let used = 0;

  function allocate(wanted: number): { offset: number; recycled: boolean } {
    const bytes = Math.max(ALIGNMENT, Math.ceil(wanted / ALIGNMENT) * ALIGNMENT);
    const gap = gaps.find((candidate) => candidate.bytes >= bytes);
    const offset = gap?.offset ?? end;
    if (gap === undefined) {
      extendTo(end + bytes, wanted);
      end += bytes;
    } else {
      gap.offset += bytes;
      gap.bytes -= bytes;
      if (gap.bytes === 0) gaps.splice(gaps.indexOf(gap), 1);
    }
    taken.set(offset, bytes);
    used += bytes;
    return { offset, recycled: gap !== undefined };
  }

  function extendTo(bytes: number, wanted: number): void {
    const present = wasm.buffer.byteLength;
    if (bytes <= present) return;
    if (bytes > mostBytes) throw new RangeError(tooLittle(wanted, used, mostBytes));
    const grown = Math.min(mostBytes, Math.ceil(bytes / GROWTH_BYTES) * GROWTH_BYTES);
    try {
      wasm.grow(Math.ceil((grown - present) / PAGE_BYTES));
    } catch (cause) {
      throw new RangeError(tooLittle(wanted, used, mostBytes), { cause });
    }
  }

  function zeroed<T extends SharedArray>(
    length: number,
    make: new (buffer: SharedArrayBuffer, offset: number, length: number) => T,
    elementBytes: number,
  ): T {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new RangeError(`an array cannot have ${length} elements`);
    const { offset, recycled } = allocate(length * elementBytes);
    const array = new make(wasm.buffer, offset, length);
    buffers.add(array.buffer);
    // Untouched pages are zero already, and cost nothing until they are used.
    if (recycled) array.fill(0);
    return array;
  }

  function pointerTo(array: SharedArray): number {
    if (!buffers.has(array.buffer))
      throw new TypeError('kernels work only on arrays that were made by them: this one is elsewhere');
    return array.byteOffset;
  }

  return {
    wasm,
    counter,
    float32: (length) => zeroed(length, Float32Array, 4),
    int32: (length) => zeroed(length, Int32Array, 4),
    uint8: (length) => zeroed(length, Uint8Array, 1),
    release: (array) => {
      const offset = pointerTo(array);
      const bytes = taken.get(offset);
      if (bytes === undefined) throw new RangeError('this array is not, or no longer, in use');
      taken.delete(offset);
      used -= bytes;
      gaps = merged([...gaps, { offset, bytes }]);
    },
    pointerTo,
    usedBytes: () => used,
  };
}

/** Lets `work` take arrays that are given back when it is done, however it ends. */
export async function borrowing<T>(
  memory: SharedMemory,
  work: (arrays: Pick<SharedMemory, 'float32' | 'int32' | 'uint8'>) => Promise<T>,
): Promise<T> {
  const taken: SharedArray[] = [];
  const kept = <A extends SharedArray>(array: A): A => {
    taken.push(array);
    return array;
  };
  try {
    return await work({
      float32: (length) => kept(memory.float32(length)),
      int32: (length) => kept(memory.int32(length)),
      uint8: (length) => kept(memory.uint8(length)),
    });
  } finally {
    for (const array of taken) memory.release(array);
  }
}

/** Spans by offset, neighbours joined. */
function merged(spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.sort((a, b) => a.offset - b.offset)) {
    const last = joined.at(-1);
    if (last !== undefined && last.offset + last.bytes === span.offset) last.bytes += span.bytes;
    else joined.push(span);
  }
  return joined;
}

function tooLittle(wanted: number, used: number, most: number): string {
  return (
    `${megabytes(wanted)} more do not fit into the kernels' shared memory: ${megabytes(used)} of ${megabytes(most)} ` +
    'are in use. Fewer factors, or fewer items or customers, need less.'
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
