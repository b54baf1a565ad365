import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
// V8's own function, which the flag adds to every new context.
const collectGarbage = runInNewContext('gc') as () => void;

/** Turns to measure: V8 compiles a hot function on a thread of its own, on a busy machine only after several. */
const TURNS = 24;

/**
 * The least by which the JavaScript heap changes in any of several runs, with no collection in between for up to a
 * megabyte. Code that allocates does so in every run; V8's own compiling of it falls into some.
 *
 * @param prepare called before each run, not measured
 */
export function leastAllocatedBytes(prepare: () => void, run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < TURNS; turn++) {
    prepare();
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    run();
    least = Math.min(least, Math.abs(process.memoryUsage().heapUsed - before));
  }
  return least;
}
