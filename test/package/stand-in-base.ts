import { copyFileSync, cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram, sharedLibraries } from '../vm/guest-programs.js';
import type { Buildah } from './buildah.js';

const PROGRAMS = ['dash', 'env', 'find', 'rm'] as const;

/**
 * An image that stands in for the Node base where no image registry can be reached: this machine's node, npm, a
 * shell and the libraries that they need.
 */
export function makeStandInBase(buildah: Buildah, name: string): void {
  const container = buildah.from('scratch');
  const root = buildah.mount(container);
  for (const directory of ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'etc', 'root', 'tmp']) {
    mkdirSync(join(root, directory), { recursive: true });
  }
  for (const directory of ['bin', 'sbin', 'lib', 'lib64']) {
    symlinkSync(`usr/${directory}`, join(root, directory));
  }
  const programs = [process.execPath, ...PROGRAMS.map((program) => findProgram(program))];
  for (const program of programs) {
    copyFileSync(program, join(root, 'usr/bin', program.slice(program.lastIndexOf('/') + 1)));
  }
  symlinkSync('dash', join(root, 'usr/bin/sh'));
  for (const library of sharedLibraries(programs)) {
    mkdirSync(dirname(join(root, library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
  // npm's command is a link into its package, two folders up.
  const npm = dirname(dirname(realpathSync(findProgram('npm'))));
  cpSync(npm, join(root, 'usr/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
  buildah.run('config', '--env', 'PATH=/usr/sbin:/usr/bin', container);
  buildah.run('commit', '--quiet', container, name);
}
