/**
 * Does `work` for each item, at most `lanes` at once. The first failure stops the taking of further items and is thrown
 * when all that was begun has ended.
 */
export async function inLanes<T>(
  items: AsyncIterable<T> | Iterable<T>, lanes: number, work: (item: T) => Promise<void>,
): Promise<void> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    try {
      while (failures.length === 0) {
        const next = await source.next();
        if (next.done) return;
        await work(next.value);
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await source.return?.();
  if (failures.length > 0) throw failures[0];
}
