/**
 * Whether this process takes on another request. A request that waits behind too many others is answered when nobody waits for
 * it any more; refused at once, its sender can try again, or elsewhere. Four bounds, since none tells all:
 *
 * - requests in flight: what waits for Redis or the lake holds memory, though the process idles;
 * - bodies that are arriving: they take as long as their senders like, and must keep out nobody but other bodies;
 * - wait: how long another request will take, as those in flight over the rate at which they are answered (Little's law). Those that
 *   wait for their own sender's body, or for the lake, tell nothing of it and are left out; and where none at all is answered, what
 *   they wait for is elsewhere (Redis) and has a timeout of its own, as has its fallback;
 * - lag of the event loop, how much later than asked a timer runs: a few dear requests, such as large bodies.
 */
export type LoadGate = {
  /** Why not; undefined: it does. */
  refusal: (bringsBody: boolean) => ShedBound | undefined;
  stop: () => void;
};

export const SHED_BOUNDS = ['inFlight', 'reading', 'wait', 'lag'] as const;
export type ShedBound = (typeof SHED_BOUNDS)[number];

/** `maxInFlight`: of those that are being answered, and by itself of those whose bodies are arriving. */
export type LoadBounds = { maxInFlight: number; maxWaitMs: number; maxLagMs: number };

const lookEveryMs = 20;

export type LoadLevels = {
  /** Requests that are being answered, the others included. */
  inFlight: { readonly value: number };
  /** Whose bodies are still arriving. */
  reading: { readonly value: number };
  /** Which ask the lake. */
  atLake: { readonly value: number };
};

export function createLoadGate(
  { maxInFlight, maxWaitMs, maxLagMs }: LoadBounds,
  { inFlight, reading, atLake }: LoadLevels,
): LoadGate {
  const busy = () => Math.max(0, inFlight.value - reading.value - atLake.value);
  const lag = createLagMeter(performance.now());
  const wait = createWaitMeter();
  let admitted = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    lag.tick(now);
    wait.tick(now, admitted - inFlight.value, busy());
  }, lookEveryMs).unref();
  return {
    refusal: (bringsBody) => {
      if (inFlight.value - reading.value >= maxInFlight) return 'inFlight';
      if (bringsBody && reading.value >= maxInFlight) return 'reading';
      if (wait.expectedMs(busy()) > maxWaitMs) return 'wait';
      if (lag.sustainedMs() > maxLagMs) return 'lag';
      admitted++;
      return undefined;
    },
    stop: () => clearInterval(timer),
  };
}

/** With fewer in flight nobody waits long, and how fast the process could be is not seen. */
const busyFrom = 32;
const rateWindowMs = 250;

export type WaitMeter = {
  /** `answered`: since the start. `now` as of `LagMeter`. */
  tick: (now: number, answered: number, inFlight: number) => void;
  /** 0 while the process is not busy, has been so for too short a time to tell, or answers nothing. */
  expectedMs: (inFlight: number) => number;
};

export function createWaitMeter(): WaitMeter {
  let since: { at: number; answered: number } | undefined;
  /** Answers a millisecond. */
  let rate: number | undefined;
  return {
    tick: (now, answered, inFlight) => {
      if (inFlight < busyFrom) {
        since = undefined;
        rate = undefined;
      } else if (since === undefined) since = { at: now, answered };
      else if (now - since.at >= rateWindowMs) {
        rate = (answered - since.answered) / (now - since.at);
        since = { at: now, answered };
      }
    },
    expectedMs: (inFlight) => (!rate || inFlight < busyFrom ? 0 : inFlight / rate),
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
