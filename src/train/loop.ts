/** Work that is done again and again, with a pause between: never twice at once, never stopped in the middle. */

export type Loop = {
  /** When the last round ended (as told by the clock); undefined = none has. */
  lastRoundAt: () => number | undefined;
  /** Resolves when the round that is under way has ended. */
  stop: () => Promise<void>;
};

/** `round` must not reject; it answers whether there is more to do at once. */
export function startLoop(
  round: () => Promise<boolean>,
  intervalMs: number,
  clock: () => number = () => performance.now(),
): Loop {
  let stopped = false;
  let wake = () => {};
  let lastRoundAt: number | undefined;
  const run = async () => {
    while (!stopped) {
      const more = await round();
      lastRoundAt = clock();
      if (more || stopped) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervalMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const running = run();
  return {
    lastRoundAt: () => lastRoundAt,
    stop: async () => {
      stopped = true;
      wake();
      await running;
    },
  };
}
