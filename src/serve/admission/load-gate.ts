/**
 * Whether this process takes on another request. A request that waits behind too many others is answered when nobody waits for
 * it any more; refused at once, its sender can try again, or elsewhere. Two bounds, since neither tells all:
 *
 * - requests in flight: what waits for Redis or the lake holds memory, though the process idles;
 * - lag of the event loop, how much later than asked a timer runs: the time that requests spend waiting for the CPU,
 *   whether there are many cheap ones or a few dear ones.
 */
export type LoadGate = {
  /** Why not; undefined: it does. */
  refusal: () => 'inFlight' | 'lag' | undefined;
  stop: () => void;
};

export type LoadBounds = { maxInFlight: number; maxLagMs: number };

const lookEveryMs = 20;

/** `inFlight.value`: requests that are being answered. */
export function createLoadGate(
  { maxInFlight, maxLagMs }: LoadBounds,
  inFlight: { readonly value: number },
): LoadGate {
  const lag = createLagMeter(performance.now());
  const timer = setInterval(() => lag.tick(performance.now()), lookEveryMs).unref();
  return {
    refusal: () => {
      if (inFlight.value >= maxInFlight) return 'inFlight';
      return lag.sustainedMs() > maxLagMs ? 'lag' : undefined;
    },
    stop: () => clearInterval(timer),
  };
}

export type LagMeter = {
  /** To be called every `lookEveryMs`, with a clock that only goes forward, in milliseconds. */
  tick: (now: number) => void;
  sustainedMs: () => number;
};

/** The lag that two looks in a row have seen: one long task, such as a garbage collection, is over when it is seen. */
export function createLagMeter(startedAt: number): LagMeter {
  let lastAt = startedAt;
  let before = 0;
  let latest = 0;
  return {
    tick: (now) => {
      before = latest;
      latest = Math.max(0, now - lastAt - lookEveryMs);
      lastAt = now;
    },
    sustainedMs: () => Math.min(before, latest),
  };
}
