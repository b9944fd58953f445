/**
 * Long pieces of work, one between two looks at the network. Replies that come together (readers of one turn share a round trip)
 * would be worked on in one go, and an answer that only waits for Redis would wait for all of them at each of its round trips.
 */
export type Turns = {
  /** Whose turn it is. undefined: it is yours at once. At most as many wait as there are requests in flight. */
  next: () => Promise<void> | undefined;
};

export function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  let isTaken = false;

  /** Runs after the event loop has looked at the network: what has come there was before. */
  function pass(): void {
    const next = waiting.shift();
    if (next === undefined) {
      isTaken = false;
      return;
    }
    setImmediate(pass);
    next();
  }

  return {
    next: () => {
      if (isTaken) return new Promise((resolve) => waiting.push(resolve));
      isTaken = true;
      // The first comes before this turn has looked at its immediates, which is no look at the network.
      setImmediate(() => setImmediate(pass));
      return undefined;
    },
  };
}
