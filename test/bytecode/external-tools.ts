import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where administrators' tools are, which a user's PATH may leave out. */
export const TOOL_ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

/** Why a test that needs this tool cannot run, or undefined if it can. */
export function missingTool(tool: 'bpftool' | 'clang' | 'clang-19' | 'llvm-mc-19'): string | undefined {
  const { error } = spawnSync(tool, ['--version'], { env: TOOL_ENVIRONMENT });
  return error === undefined ? undefined : `${tool} is not installed`;
}

/** Runs a tool and gives its standard output. */
export function runTool(tool: string, args: readonly string[]): string {
  const result = spawnSync(tool, args, {
    env: TOOL_ENVIRONMENT,
    encoding: 'utf8',
    timeout: 30_000,
    // The text of a kernel's BTF has some 20 MB.
    maxBuffer: 256 * 1024 * 1024,
  });
  if (result.status === 0) return result.stdout;
  throw new Error(`${tool} ${args.join(' ')}: ${result.error?.message ?? result.stderr}`);
}

/** Calls `use` with a new directory, and removes it afterwards. */
export function withTemporaryDirectory<T>(use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'vespid-object-'));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What to compile a program with: `clang` is Debian 12's version 14, the oldest that Vespid reads. */
export interface BpfBuild {
  readonly compiler: 'clang' | 'clang-19';
  /** `bpfeb` is big-endian. */
  readonly target: 'bpfel' | 'bpfeb';
}

const OLDEST: BpfBuild = { compiler: 'clang', target: 'bpfel' };
const NEWEST: BpfBuild = { compiler: 'clang-19', target: 'bpfel' };

/** Where Debian keeps the kernel's headers of one architecture. */
const ARCHITECTURE_HEADERS: Readonly<Record<string, string>> = {
  x64: '/usr/include/x86_64-linux-gnu',
  arm64: '/usr/include/aarch64-linux-gnu',
};
const TARGET_MACRO: Readonly<Record<string, string>> = {
  x64: '__TARGET_ARCH_x86',
  arm64: '__TARGET_ARCH_arm64',
};

/** The object that clang makes of `test/fixtures/bytecode/NAME.bpf.c`, for the machine that we run on. */
export function compileFixture(name: string, build: BpfBuild = NEWEST): Uint8Array {
  const source = fileURLToPath(new URL(`../fixtures/bytecode/${name}.bpf.c`, import.meta.url));
  return withTemporaryDirectory((directory) => {
    const object = join(directory, `${name}.bpf.o`);
    compileBpf(source, object, build);
    return new Uint8Array(readFileSync(object));
  });
}

/** The object that the oldest clang makes of `every-feature.bpf.c`. */
export function compileWithClang(): Uint8Array {
  return compileFixture('every-feature', OLDEST);
}

/** Compiles one BPF program in C, with libbpf's headers. */
export function compileBpf(source: string, object: string, { compiler, target }: BpfBuild = NEWEST): void {
  const headers = `-I${ARCHITECTURE_HEADERS[process.arch] ?? '/usr/include'}`;
  const macro = `-D${TARGET_MACRO[process.arch] ?? '__TARGET_ARCH_unknown'}`;
  const flags = ['-target', target, '-mcpu=v3', '-g', '-O2', headers, macro];
  runTool(compiler, [...flags, '-c', source, '-o', object]);
}
