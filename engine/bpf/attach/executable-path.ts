import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { VespidError } from '../../errors/index.js';

/** Where the dynamic loader of this machine looks without being told, with Debian's folders by architecture. */
const LIBRARY_DIRECTORIES = ['/lib64', '/usr/lib64', '/lib', '/usr/lib'];
const MULTIARCH: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/**
 * The file that a uprobe's section names: an absolute path, a library (`libc.so.6`) or a program of `PATH`.
 *
 * @throws VespidError ATTACH_TARGET_UNKNOWN when there is no such file
 */
export function resolveExecutable(name: string): string {
  if (name.startsWith('/')) return name;
  const multiarch = MULTIARCH[process.arch];
  const ofMachine = multiarch === undefined ? [] : [`/lib/${multiarch}`, `/usr/lib/${multiarch}`];
  const directories = name.includes('.so')
    ? [...ofMachine, ...LIBRARY_DIRECTORIES]
    : (process.env['PATH'] ?? '').split(delimiter);
  const found = directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new VespidError('ATTACH_TARGET_UNKNOWN', `there is no file ${name} in ${directories.join(':')}`, {
    hint: 'give an absolute path',
  });
}
