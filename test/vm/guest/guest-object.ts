import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ObjectFile, readObject } from '../../../engine/bytecode/index.js';
import { type GuestObjectName, guestObjectPath } from '../guest-objects.js';
import { GUEST_ROOT } from '../protocol.js';

/** The bytes of an object that the host compiled for its guests. */
export function guestObjectBytes(name: GuestObjectName): Uint8Array {
  return new Uint8Array(readFileSync(join(GUEST_ROOT, guestObjectPath(name))));
}

export function guestObject(name: GuestObjectName): ObjectFile {
  return readObject(guestObjectBytes(name), `${name}.bpf.o`);
}
