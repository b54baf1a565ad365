import { readFileSync } from 'node:fs';
import { loadObject, readObject } from 'vespid/bpf';
import { VespidError } from 'vespid/errors';

const path = process.argv[2] ?? 'commands.bpf.o';
try {
  loadObject(readObject(readFileSync(path), path), { variables: { only_uidd: 0 } });
} catch (error) {
  if (!(error instanceof VespidError)) throw error;
  console.log(error.code);
  console.log(error.hint);
}
