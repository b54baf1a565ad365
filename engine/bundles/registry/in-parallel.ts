/**
 * Runs a task for each item, a few at a time. The first failure is thrown, after the tasks that had started have
 * ended; no further one starts.
 */
export async function inParallel<Item>(
  items: readonly Item[],
  concurrency: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  const pending = items.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const item of pending) {
      if (failed) return;
      await task(item).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: concurrency }, worker));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
