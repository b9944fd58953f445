/** A body that is streamed, whose first piece is there before anything is answered: a Redis that is away is a 503, not half a list. */
export async function firstFetched(
  pieces: AsyncGenerator<string, undefined>,
): Promise<AsyncIterableIterator<string, undefined>> {
  return prepend(await pieces.next(), pieces);
}

/** Ends `rest` however it is ended itself: a generator that has not begun would not. */
function prepend(
  first: IteratorResult<string, undefined>,
  rest: AsyncGenerator<string, undefined>,
): AsyncIterableIterator<string, undefined> {
  let begun = false;
  return {
    next: async () => {
      if (begun) return await rest.next();
      begun = true;
      return first;
    },
    return: () => rest.return(undefined),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
