/** Work on the same thing one after another, on different things at once. */

/** `work` hears whether others were at it before: what had been read of the thing by then may be of the past. */
export type InTurn = <T>(key: string, work: (hasWaited: boolean) => Promise<T>) => Promise<T>;

/**
 * Who fails keeps nobody else from trying, but where `isShared` says that the fault is everybody's (a store that is away): then who
 * waits fails of it too, as each would have to wait for it anew. At most as many wait as there are calls under way.
 */
export function createInTurn(isShared: (fault: unknown) => boolean): InTurn {
  const lastOf = new Map<string, Promise<unknown>>();

  return async (key, work) => {
    const before = lastOf.get(key);
    const own =
      before === undefined
        ? work(false)
        : before.then(
            () => work(true),
            (fault) => {
              if (isShared(fault)) throw fault;
              return work(true);
            },
          );
    lastOf.set(key, own);
    try {
      return await own;
    } finally {
      if (lastOf.get(key) === own) lastOf.delete(key);
    }
  };
}
