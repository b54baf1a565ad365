import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { PackageForm } from './debian-packages.js';
import type { GuestFile } from './guest-programs.js';
import { runTool } from './run-tool.js';

interface GuestModule {
  readonly name: string;
  readonly parameters: readonly string[];
}

/**
 * The kernel modules that guest tests load, each after those that it needs. nf_conntrack has what a BPF object may
 * want of a module: types that no other BTF has, kernel functions for programs (`bpf_skb_ct_lookup`), functions to
 * trace; libcrc32c asks the kernel for a crc32c, which Debian has as a module too. nbd has tracepoints.
 */
export const GUEST_MODULES: readonly GuestModule[] = [
  { name: 'crc32c_generic', parameters: [] },
  { name: 'libcrc32c', parameters: [] },
  { name: 'nf_defrag_ipv4', parameters: [] },
  { name: 'nf_defrag_ipv6', parameters: [] },
  { name: 'nf_conntrack', parameters: [] },
  { name: 'nbd', parameters: ['nbds_max=0'] },
];

/** Where a guest has them, uncompressed; no depmod, so by their path. */
export const guestModulePath = (name: string): string => `/usr/lib/modules/${name}.ko`;

const KEPT_DIRECTORY = 'guest-modules';

/** A kernel's package with these modules alone, of some thousands. */
export const KERNEL_FORM: PackageForm = {
  key: `modules-${createHash('sha256')
    .update(GUEST_MODULES.map(({ name }) => name).join())
    .digest('hex')
    .slice(0, 8)}`,
  prepare: keepGuestModules,
};

/** Those modules of a kernel that was unpacked in {@link KERNEL_FORM} which are not built in. */
export function moduleFiles(kernelDirectory: string): GuestFile[] {
  return GUEST_MODULES.map(({ name }) => ({
    hostPath: join(kernelDirectory, KEPT_DIRECTORY, `${name}.ko`),
    guestPath: guestModulePath(name),
  })).filter(({ hostPath }) => existsSync(hostPath));
}

function keepGuestModules(directory: string): void {
  const all = join(directory, 'lib', 'modules');
  const paths = readdirSync(all, { recursive: true, encoding: 'utf8' });
  const builtIn = readFileSync(join(all, paths.find(isListOfBuiltIn) ?? 'modules.builtin'), 'utf8');
  const kept = join(directory, KEPT_DIRECTORY);
  mkdirSync(kept);
  for (const { name } of GUEST_MODULES) {
    if (builtIn.includes(`/${name}.ko\n`)) continue;
    const path = paths.find((each) => [`${name}.ko`, `${name}.ko.xz`].includes(basename(each)));
    if (path === undefined) throw new Error(`${directory} has no module ${name}`);
    const module = join(all, path);
    // Newer packages have modules compressed, which not every insmod takes.
    if (path.endsWith('.xz')) runTool('xz', ['--decompress', module]);
    renameSync(module.replace(/\.xz$/, ''), join(kept, `${name}.ko`));
  }
  rmSync(all, { recursive: true });
}

function isListOfBuiltIn(path: string): boolean {
  return basename(path) === 'modules.builtin';
}
