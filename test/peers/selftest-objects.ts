import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { runTool } from '../vm/run-tool.js';
import { CLANG, type CompileFailure, compileAll, type HeaderTree, selftestFlags } from './compiler.js';
import { unpackKernelImage } from './kernel-image.js';

/** Part of the cache's key: raise it when the way the objects are built changes. */
const BUILD_FORMAT = 1;

export interface SelftestInput {
  /** The unpacked package linux-source-6.12. */
  readonly sourcePackage: string;
  /** The boot image of the newer guest kernel: its types are what the selftests are compiled against. */
  readonly kernelImage: string;
  /** Builds are kept here, one directory each. */
  readonly cacheDirectory: string;
  readonly log: (line: string) => void;
}

export interface SelftestBuild {
  readonly objects: readonly string[];
  readonly failures: readonly CompileFailure[];
  readonly headers: HeaderTree;
}

/** What the build reads of the kernel's source. */
const SOURCE_PARTS = [
  'tools/testing/selftests/bpf',
  'tools/lib/bpf',
  'tools/include',
  'scripts/bpf_doc.py',
] as const;

/**
 * The objects that `bpftool gen object` links from several files, as the selftests' Makefile does (LINKED_SKELS):
 * their parts name each other's symbols and cannot be loaded alone.
 */
const LINKED_OBJECTS: Readonly<Record<string, readonly string[]>> = {
  'linked-static': ['test_static_linked1', 'test_static_linked2'],
  'linked-funcs': ['linked_funcs1', 'linked_funcs2'],
  'linked-vars': ['linked_vars1', 'linked_vars2'],
  'linked-maps': ['linked_maps1', 'linked_maps2'],
  'linked-subskeleton': ['test_subskeleton_lib2', 'test_subskeleton_lib', 'test_subskeleton'],
  'linked-usdt': ['test_usdt', 'test_usdt_multispec'],
};

/** Compiles the kernel's BPF selftests, unless this version was compiled with these tools before. */
export async function buildSelftests(input: SelftestInput): Promise<SelftestBuild> {
  const directory = join(input.cacheDirectory, `selftests-${buildKey(input)}`);
  const headers = headerTree(directory);
  const failuresPath = join(directory, 'failures.json');
  if (!existsSync(failuresPath)) {
    rmSync(directory, { recursive: true, force: true });
    prepareHeaders(input, directory, headers);
    const failures = await compileSelftests(input, directory, headers);
    writeFileSync(`${failuresPath}.new`, JSON.stringify(failures));
    renameSync(`${failuresPath}.new`, failuresPath);
    removeOlderBuilds(input.cacheDirectory, directory);
  }
  const objects = join(directory, 'objects');
  return {
    objects: readdirSync(objects)
      .sort()
      .map((name) => join(objects, name)),
    // Written above.
    failures: JSON.parse(readFileSync(failuresPath, 'utf8')) as CompileFailure[],
    headers,
  };
}

function headerTree(directory: string): HeaderTree {
  const tools = join(directory, 'source', 'tools');
  return {
    generated: join(directory, 'include'),
    selftests: join(tools, 'testing', 'selftests', 'bpf'),
    uapi: join(tools, 'include', 'uapi'),
  };
}

function buildKey({ sourcePackage, kernelImage }: SelftestInput): string {
  const tree: HeaderTree = { generated: '', selftests: '', uapi: '' };
  const parts = [
    BUILD_FORMAT,
    basename(sourcePackage),
    basename(kernelImage),
    runTool(CLANG, ['--version']),
    selftestFlags(tree),
    LINKED_OBJECTS,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function prepareHeaders(input: SelftestInput, directory: string, headers: HeaderTree): void {
  input.log('unpacking the kernel source');
  const source = join(directory, 'source');
  mkdirSync(source, { recursive: true });
  const archive = join(input.sourcePackage, 'usr', 'src', 'linux-source-6.12.tar.xz');
  const members = SOURCE_PARTS.map((path) => `linux-source-6.12/${path}`);
  runTool('tar', ['-xf', archive, '-C', source, '--strip-components=1', '-I', 'xz -T0', ...members]);

  const include = headers.generated;
  const library = join(source, 'tools', 'lib', 'bpf');
  mkdirSync(join(include, 'bpf'), { recursive: true });
  for (const name of readdirSync(library).filter((entry) => entry.endsWith('.h'))) {
    cpSync(join(library, name), join(include, 'bpf', name));
  }
  // The C library asks for this on a target that is not x86-64 by name; nothing of it is used.
  mkdirSync(join(include, 'gnu'));
  writeFileSync(join(include, 'gnu', 'stubs-32.h'), '');
  const helpers = runTool('python3', [
    ...[join(source, 'scripts', 'bpf_doc.py'), '--header'],
    ...['--file', join(headers.uapi, 'linux', 'bpf.h')],
  ]);
  writeFileSync(join(include, 'bpf', 'bpf_helper_defs.h'), helpers);
  const kernel = join(directory, 'vmlinux');
  writeFileSync(kernel, unpackKernelImage(input.kernelImage));
  const types = runTool('bpftool', ['btf', 'dump', 'file', kernel, 'format', 'c']);
  writeFileSync(join(include, 'vmlinux.h'), types);
  rmSync(kernel);
}

async function compileSelftests(
  input: SelftestInput,
  directory: string,
  headers: HeaderTree,
): Promise<CompileFailure[]> {
  const programs = join(headers.selftests, 'progs');
  const objects = join(directory, 'objects');
  mkdirSync(objects);
  const names = readdirSync(programs)
    .filter((name) => name.endsWith('.c'))
    .map((name) => basename(name, '.c'));
  input.log(`compiling ${names.length} selftests with ${CLANG}`);
  const compilations = names.map((name) => ({
    source: join(programs, `${name}.c`),
    object: join(objects, `${name}.bpf.o`),
  }));
  const failures = await compileAll(compilations, selftestFlags(headers));
  for (const [name, parts] of Object.entries(LINKED_OBJECTS)) {
    const inputs = parts.map((part) => join(objects, `${part}.bpf.o`));
    runTool('bpftool', ['gen', 'object', join(objects, `${name}.bpf.o`), ...inputs]);
  }
  return failures.map(({ source, reason }) => ({ source: basename(source, '.c'), reason }));
}

function removeOlderBuilds(cacheDirectory: string, current: string): void {
  for (const name of readdirSync(cacheDirectory)) {
    const path = join(cacheDirectory, name);
    if (name.startsWith('selftests-') && path !== current) rmSync(path, { recursive: true, force: true });
  }
}
