import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

export const CLANG = 'clang-19';
const STRIP = 'llvm-strip-19';
/** The slowest selftest (pyperf600) takes 8 s of clang. */
const COMPILE_TIMEOUT_MS = 120_000;

export interface Compilation {
  readonly source: string;
  readonly object: string;
  /** Flags for this source alone, after those of all. */
  readonly flags?: readonly string[];
}

/** Why a source did not compile: the compiler's first complaint. */
export interface CompileFailure {
  readonly source: string;
  readonly reason: string;
}

/** Where the headers of a build are. */
export interface HeaderTree {
  /** Holds vmlinux.h, bpf/ and the stand-ins for what a BPF target lacks. */
  readonly generated: string;
  readonly selftests: string;
  readonly uapi: string;
}

/**
 * The flags of tools/testing/selftests/bpf/Makefile (BPF_CFLAGS, CLANG_BPF_BUILD_RULE): CPU version 3, the system's
 * headers after everything else.
 */
export function selftestFlags(headers: HeaderTree): readonly string[] {
  const systemHeaders = [
    '/usr/lib/llvm-19/lib/clang/19/include',
    '/usr/include/x86_64-linux-gnu',
    '/usr/include',
  ];
  return [
    ...['--target=bpf', '-mcpu=v3', '-mlittle-endian', '-g', '-O2', '-c'],
    ...['-Wall', '-Wno-compare-distinct-pointer-types', '-fno-color-diagnostics'],
    ...['-D__TARGET_ARCH_x86', '-DENABLE_ATOMICS_TESTS'],
    ...['-I', headers.generated, '-I', headers.selftests, '-I', headers.uapi],
    ...systemHeaders.flatMap((path) => ['-idirafter', path]),
  ];
}

/** Compiles each source to its object, as many at a time as there are processors; gives those that failed. */
export async function compileAll(
  compilations: readonly Compilation[],
  flags: readonly string[],
): Promise<CompileFailure[]> {
  const failures: CompileFailure[] = [];
  const waiting = compilations.values();
  const work = async (): Promise<void> => {
    for (const { source, object, flags: more = [] } of waiting) {
      const compiled = await run(CLANG, [...flags, ...more, source, '-o', object]);
      // What a debugger needs (DWARF) is nine tenths of the bytes; BTF stays.
      const finished = compiled.ok ? await run(STRIP, ['-g', object]) : compiled;
      if (!finished.ok) failures.push({ source, reason: firstComplaint(finished.errors) });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return failures.sort((left, right) => (left.source < right.source ? -1 : 1));
}

function firstComplaint(errors: string): string {
  const lines = errors.split('\n').filter((line) => line !== '');
  return lines.find((line) => /\b(fatal )?error: /.test(line)) ?? lines.at(-1) ?? 'no reason given';
}

function run(program: string, args: readonly string[]): Promise<{ ok: boolean; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: COMPILE_TIMEOUT_MS });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.on('error', (error) =>
      reject(new Error(`cannot run ${program}: ${error.message}`, { cause: error })),
    );
    child.on('close', (code, signal) =>
      resolve({
        ok: code === 0,
        errors: signal === null ? errors : `stopped by ${signal} after its time limit`,
      }),
    );
  });
}
