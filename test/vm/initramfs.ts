import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { type ArchiveEntry, writeCpioArchive } from './cpio-archive.js';
import { guestInit } from './guest-init.js';
import { guestObjects } from './guest-objects.js';
import { appletLinks, type GuestFile, guestPrograms, readGuestFile } from './guest-programs.js';
import { GUEST_REQUEST_PATH, GUEST_ROOT, type GuestRequest } from './protocol.js';

/** Part of the base image's key: raise it when the way the image is built changes. */
const BASE_IMAGE_FORMAT = 2;
const KEPT_BASE_IMAGES = 2;
/** Not needed to run; half of node_modules. */
const UNUSED_MODULE_FILES = /\.(d\.[cm]?ts|[cm]?ts|map|md|markdown)$/;
const UNUSED_MODULE_PATHS = /^(koffi\/(vendor|doc)|@koromix\/koffi-linux-x64\/musl_x64)\//;
const UNUSED_BUILD_FILES = /\.(d\.ts|map|tsbuildinfo)$/;

/**
 * The initramfs is several archives in one file: the base (node, libraries, tools, node_modules), which changes
 * rarely and is cached; the build, written anew each run; the request and configuration, which differ by kernel. None is
 * compressed: under emulation unpacking costs the guest more than copying does, and one form serves all kernels.
 * `files` are added to the last one.
 */
export function buildInitramfs(
  path: string,
  baseImage: string,
  projectRoot: string,
  kernelDirectory: string,
  request: GuestRequest,
  files: readonly GuestFile[] = [],
): void {
  copyFileSync(baseImage, path, constants.COPYFILE_FICLONE);
  appendArchive(path, buildEntries(projectRoot));
  appendArchive(path, kernelConfig(kernelDirectory));
  const content = Buffer.from(JSON.stringify(request));
  appendArchive(path, [{ kind: 'file', path: GUEST_REQUEST_PATH, content }, ...files.map(readGuestFile)]);
}

/** The path of the cached base image, built if no image of the same inputs is there. */
export function baseImage(
  cacheDirectory: string,
  projectRoot: string,
  busybox: string,
  log: (line: string) => void,
): string {
  const modules = productionModules(projectRoot);
  const nativeModules = modules.filter(({ guestPath }) => guestPath.endsWith('.node'));
  const programs = guestPrograms(
    busybox,
    nativeModules.map(({ hostPath }) => hostPath),
  );
  const files = [...programs, ...modules];
  mkdirSync(cacheDirectory, { recursive: true });
  const image = join(cacheDirectory, `base-${fingerprint(files)}.cpio`);
  if (existsSync(image)) return image;
  log(`building the base image: ${files.length} files`);
  const temporary = `${image}.${process.pid}`;
  const descriptor = openSync(temporary, 'w');
  try {
    writeCpioArchive(baseEntries(files, appletLinks(busybox, files)), (bytes) =>
      writeSync(descriptor, bytes),
    );
    renameSync(temporary, image);
  } finally {
    closeSync(descriptor);
    rmSync(temporary, { force: true });
  }
  removeOldImages(cacheDirectory);
  return image;
}

function* baseEntries(files: readonly GuestFile[], links: readonly ArchiveEntry[]): Iterable<ArchiveEntry> {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    yield { kind: 'symlink', path: name, target: `usr/${name}` };
  }
  for (const path of ['proc', 'sys', 'dev', 'tmp', 'run', 'root', 'var/tmp']) {
    yield { kind: 'directory', path };
  }
  for (const [path, text] of Object.entries(GUEST_ETC)) {
    yield { kind: 'file', path, content: Buffer.from(text) };
  }
  for (const file of files) yield readGuestFile(file);
  yield* links;
}

const GUEST_ETC = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/shadow': 'root:*:20000:0:99999:7:::\nnobody:*:20000:0:99999:7:::\n',
  'etc/hosts': '127.0.0.1 localhost vespid-guest\n::1 localhost\n',
  'etc/hostname': 'vespid-guest\n',
} as const;

/** What the project brings: init, the compiled tree, and the files that it reads at run time. */
function* buildEntries(projectRoot: string): Iterable<ArchiveEntry> {
  yield { kind: 'file', path: 'init', content: Buffer.from(guestInit()), executable: true };
  const roots = ['dist', 'policies/library', 'policies/schema', 'test/fixtures', 'package.json'];
  for (const root of roots) {
    for (const path of filesUnder(join(projectRoot, root))) {
      const name = relative(projectRoot, path);
      if (UNUSED_BUILD_FILES.test(name) || isStaleTest(projectRoot, name)) continue;
      yield { kind: 'file', path: `${GUEST_ROOT}/${name}`, content: readFileSync(path) };
    }
  }
  for (const { path, content } of guestObjects(projectRoot)) {
    yield { kind: 'file', path: `${GUEST_ROOT}/${path}`, content };
  }
  const eventSchema = 'engine/events/event.schema.json';
  if (existsSync(join(projectRoot, eventSchema))) {
    const content = readFileSync(join(projectRoot, eventSchema));
    yield { kind: 'file', path: `${GUEST_ROOT}/${eventSchema}`, content };
  }
}

/** What the kernel was built with, where a Debian machine has it. */
function* kernelConfig(kernelDirectory: string): Iterable<ArchiveEntry> {
  yield { kind: 'directory', path: 'boot' };
  for (const name of readdirSync(join(kernelDirectory, 'boot'))) {
    if (!name.startsWith('config-')) continue;
    yield { kind: 'file', path: `boot/${name}`, content: readFileSync(join(kernelDirectory, 'boot', name)) };
  }
}

/** Whether the source of a compiled guest test is gone; the compiler leaves its output. */
function isStaleTest(projectRoot: string, name: string): boolean {
  const source = /^dist\/(.*\.guest)\.js$/.exec(name)?.[1];
  return source !== undefined && !existsSync(join(projectRoot, `${source}.ts`));
}

/** The files of every installed package that the lock file does not mark as for development only. */
function productionModules(projectRoot: string): GuestFile[] {
  const lockText = readFileSync(join(projectRoot, 'package-lock.json'), 'utf8');
  // npm writes this file; `packages` maps an install path to facts about it.
  const lock = JSON.parse(lockText) as { packages: Record<string, { dev?: boolean; devOptional?: boolean }> };
  // A worktree may have node_modules as a link to another one's.
  const modulesRoot = realpathSync(join(projectRoot, 'node_modules'));
  const files: GuestFile[] = [];
  for (const [installPath, facts] of Object.entries(lock.packages)) {
    if (!installPath.startsWith('node_modules/') || facts.dev === true || facts.devOptional === true)
      continue;
    const directory = join(modulesRoot, installPath.slice('node_modules/'.length));
    // An optional package for another platform is not installed; a nested one is named by itself.
    for (const hostPath of filesUnder(directory, 'node_modules')) {
      const name = relative(modulesRoot, hostPath);
      if (UNUSED_MODULE_FILES.test(name) || UNUSED_MODULE_PATHS.test(name)) continue;
      files.push({ hostPath, guestPath: `${GUEST_ROOT}/node_modules/${name}` });
    }
  }
  return files;
}

function filesUnder(path: string, except = ''): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== except && (entry.isFile() || entry.isDirectory()))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isFile() ? [join(path, entry.name)] : filesUnder(join(path, entry.name), except),
    );
}

function appendArchive(path: string, entries: Iterable<ArchiveEntry>): void {
  const chunks: Uint8Array[] = [];
  writeCpioArchive(entries, (bytes) => chunks.push(bytes));
  const descriptor = openSync(path, 'a');
  try {
    writeSync(descriptor, Buffer.concat(chunks));
  } finally {
    closeSync(descriptor);
  }
}

function fingerprint(files: readonly GuestFile[]): string {
  const hash = createHash('sha256').update(`format ${BASE_IMAGE_FORMAT}\n`);
  for (const [path, text] of Object.entries(GUEST_ETC)) hash.update(`${path}\n${text}\n`);
  for (const { hostPath, guestPath } of files) {
    const { size, mtimeMs } = statSync(hostPath);
    hash.update(`${guestPath}\t${size}\t${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

function removeOldImages(cacheDirectory: string): void {
  const images = readdirSync(cacheDirectory)
    .filter((name) => /^base-[0-9a-f]+\.cpio$/.test(name))
    .map((name) => join(cacheDirectory, name))
    .sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs);
  for (const image of images.slice(KEPT_BASE_IMAGES)) rmSync(image, { force: true });
}
