/** Work that is done again and again, with a pause between: never twice at once, never stopped in the middle. */

export type Loop = {
  /** Resolves when the round that is under way has ended. */
  stop: () => Promise<void>;
};

/** `round` must not reject; it answers whether there is more to do at once. */
export function startLoop(round: () => Promise<boolean>, intervalMs: number): Loop {
  let stopped = false;
  let wake = () => {};
  const run = async () => {
    while (!stopped) {
      const more = await round();
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
    stop: async () => {
      stopped = true;
      wake();
      await running;
    },
  };
}
