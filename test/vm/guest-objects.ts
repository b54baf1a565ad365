import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileBpf } from '../bytecode/external-tools.js';

/** Fixtures in C that guest tests load; the guest has no compiler. */
const GUEST_OBJECTS = [
  'links',
  'records',
  'load-balancer',
  'textbook-execve',
  'collection',
  'congestion',
  'replacement',
  'arena-counter',
  'modules',
  'module-probes',
] as const;
export type GuestObjectName = (typeof GUEST_OBJECTS)[number];

/** Where an object lies, from the project's root. */
export const guestObjectPath = (name: GuestObjectName): string => `test/fixtures/bytecode/${name}.bpf.o`;

interface GuestObject {
  readonly path: string;
  readonly content: Uint8Array;
}

let compiled: readonly GuestObject[] | undefined;

/** The objects that clang makes of `test/fixtures/bytecode`, once for all guests. */
export function guestObjects(projectRoot: string): readonly GuestObject[] {
  compiled ??= compileAll(projectRoot);
  return compiled;
}

function compileAll(projectRoot: string): GuestObject[] {
  const folder = mkdtempSync(join(tmpdir(), 'vespid-guest-objects-'));
  try {
    return GUEST_OBJECTS.map((name) => {
      const object = join(folder, `${name}.bpf.o`);
      compileBpf(join(projectRoot, `test/fixtures/bytecode/${name}.bpf.c`), object);
      return { path: guestObjectPath(name), content: readFileSync(object) };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
