/** Runs in the guest: every object through both loaders, a line of JSON for each. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GUEST_OBJECTS, type LoadOutcome, OBJECT_SUFFIX, type ObjectResult } from '../outcome.js';
import { loadWithLibbpf } from './libbpf-loader.js';
import { VespidLoader } from './vespid-loader.js';

/**
 * An object that one loader has not loaded by then is not compared. Under emulation most take a tenth of a second and
 * the slowest ten; a busy machine may need some times that.
 */
const OBJECT_LIMIT_MS = 60_000;

using vespid = new VespidLoader();
for (const object of readdirSync(GUEST_OBJECTS).sort()) {
  const path = join(GUEST_OBJECTS, object);
  const libbpf = await loadWithLibbpf(path, OBJECT_LIMIT_MS);
  // What libbpf cannot load in time is not compared, whatever Vespid makes of it.
  const other: LoadOutcome =
    libbpf.kind === 'over-limit'
      ? { kind: 'over-limit', durationMs: 0 }
      : await vespid.load(path, OBJECT_LIMIT_MS);
  const result: ObjectResult = { object: basename(object, OBJECT_SUFFIX), libbpf, vespid: other };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
