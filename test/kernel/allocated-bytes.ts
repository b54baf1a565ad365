import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
// V8's own function, which the flag adds to every new context.
const collectGarbage = runInNewContext('gc') as () => void;

/** How much the JavaScript heap grows by `run`, with no collection in between for up to a megabyte. */
export function allocatedBytes(run: () => void): number {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  run();
  return process.memoryUsage().heapUsed - before;
}
