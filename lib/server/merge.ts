/**
 * Several async sources as one, in the order their values come. One value of each source is held, never more. Built on
 * callbacks and not on `Promise.race`, which would keep something for every value while one of the sources stays silent.
 */

/** Ends when any source ends, because each of them ends only when it is told to; throws what the first to fail throws. */
export async function* merge<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const arrived: Arrival<T>[] = [];
  let wake = (): void => undefined;
  const pull = (iterator: AsyncIterator<T>): void => {
    const put = (arrival: Arrival<T>): void => {
      arrived.push(arrival);
      wake();
    };
    iterator.next().then((result) => put({ iterator, result }), (error: unknown) => put({ iterator, error }));
  };
  try {
    iterators.forEach(pull);
    for (;;) {
      const arrival = arrived.shift();
      if (arrival === undefined) {
        await new Promise<void>((resolve) => { wake = resolve; });
        continue;
      }
      if ('error' in arrival) throw arrival.error;
      if (arrival.result.done === true) return;
      yield arrival.result.value;
      pull(arrival.iterator);
    }
  } finally {
    // Not awaited: a source that still waits returns only when its signal aborts, and that is the caller's to do.
    for (const iterator of iterators) void iterator.return?.().catch(() => undefined);
  }
}

type Arrival<T> =
  | { readonly iterator: AsyncIterator<T>; readonly result: IteratorResult<T> }
  | { readonly iterator: AsyncIterator<T>; readonly error: unknown };
