import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { readObject } from '../../../engine/bytecode/index.js';
import { vmlinuxBtf } from '../../../engine/kernel/index.js';
import { median } from '../median.js';
import { packageRoot } from '../package-root.js';
import { runProcess } from '../run-process.js';
import { needBuildTools } from './build-tools.js';
import { coreObjectSource, type KernelTypeCount } from './core-object-source.js';

/** Processes of each side, taken in turn. */
const ROUNDS = 7;
/** What the project promises for the object that reads many types. */
const RATIO_LIMIT = 1.3;
/** The first of a process is the cold one: an operator loads once. */
const LOADS_PER_PROCESS = 6;

interface Load {
  readonly total: number;
  readonly open: number;
  readonly kernel: number;
  readonly mapCreate: number;
  readonly programLoad: number;
  readonly cpu: number;
}

interface ProcessReport {
  readonly loads: readonly Load[];
  readonly peakKiB: number;
}

/**
 * How long Vespid and Debian's libbpf take to open, relocate and load a large CO-RE object, in milliseconds of time
 * inside the process: cold is the first load of a fresh process, warm the later ones of the same process. Beside the
 * object that reads many kernel types stands one of as many relocations on few: libbpf walks all types of the kernel
 * for each type that it looks for, so that the number of types decides much of its time.
 */
export async function loadObjectVsLibbpf(): Promise<Record<string, unknown>> {
  needBuildTools();
  const folder = mkdtempSync(join(tmpdir(), 'vespid-bench-'));
  try {
    const header = runProcess('bpftool', ['btf', 'dump', 'file', '/sys/kernel/btf/vmlinux', 'format', 'c']);
    writeFileSync(join(folder, 'vmlinux.h'), header);
    const libbpf = compileLibbpfProgram(folder);
    const { ratioVespidToLibbpf, ...many } = compare(compileObject(folder, 'many'), libbpf);
    const few = compare(compileObject(folder, 'few'), libbpf);
    return {
      ratioVespidToLibbpf,
      limit: RATIO_LIMIT,
      ratioVespidToLibbpfFewTypes: few.ratioVespidToLibbpf,
      many,
      few,
      rounds: ROUNDS,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compare(objectPath: string, libbpf: string) {
  const vespid = fileURLToPath(new URL('vespid-loads.js', import.meta.url));
  const reports: { vespid: ProcessReport[]; libbpf: ProcessReport[] } = { vespid: [], libbpf: [] };
  for (let round = 0; round < ROUNDS; round++) {
    reports.libbpf.push(run(libbpf, [objectPath]));
    reports.vespid.push(run(execPath, [vespid, objectPath]));
  }
  return { ...summary(reports), object: describeObject(objectPath) };
}

function summary(reports: { readonly vespid: ProcessReport[]; readonly libbpf: ProcessReport[] }) {
  const cold = { vespid: medians(reports.vespid, isFirst), libbpf: medians(reports.libbpf, isFirst) };
  const warm = { vespid: medians(reports.vespid, isLater), libbpf: medians(reports.libbpf, isLater) };
  return {
    ratioVespidToLibbpf: ratio(cold.vespid.total, cold.libbpf.total),
    ratioVespidToLibbpfWarm: ratio(warm.vespid.total, warm.libbpf.total),
    /** Without the time that the kernel takes, which is the same work on both sides. */
    ratioVespidToLibbpfUserSpace: ratio(cold.vespid.outsideKernel, cold.libbpf.outsideKernel),
    coldMilliseconds: cold,
    warmMilliseconds: warm,
    peakMiB: { vespid: peakMiB(reports.vespid), libbpf: peakMiB(reports.libbpf) },
  };
}

const isFirst = (index: number): boolean => index === 0;
const isLater = (index: number): boolean => index > 0;

function medians(reports: readonly ProcessReport[], isWanted: (index: number) => boolean) {
  const loads = reports.flatMap((report) => report.loads.filter((_, index) => isWanted(index)));
  const of = (value: (load: Load) => number) => median(loads.map(value));
  return {
    total: of((load) => load.total),
    open: of((load) => load.open),
    linkAndRelocate: of((load) => load.total - load.open - load.kernel),
    mapCreate: of((load) => load.mapCreate),
    programLoad: of((load) => load.programLoad),
    otherKernelCalls: of((load) => load.kernel - load.mapCreate - load.programLoad),
    outsideKernel: of((load) => load.total - load.kernel),
    /** Processor time of all threads, the kernel's part included. */
    cpu: of((load) => load.cpu),
  };
}

function ratio(left: number, right: number): number {
  return Math.round((left / right) * 100) / 100;
}

function peakMiB(reports: readonly ProcessReport[]): number {
  return median(reports.map(({ peakKiB }) => peakKiB / 1024));
}

function run(program: string, args: readonly string[]): ProcessReport {
  // Both programs are ours and print this form.
  return JSON.parse(runProcess(program, [...args, String(LOADS_PER_PROCESS)])) as ProcessReport;
}

/** Compiles the generated source for the running kernel's types; without DWARF, as objects are shipped. */
function compileObject(folder: string, kernelTypes: KernelTypeCount): string {
  const source = join(folder, `${kernelTypes}.bpf.c`);
  const object = join(folder, `${kernelTypes}.bpf.o`);
  writeFileSync(source, coreObjectSource(vmlinuxBtf(), kernelTypes));
  runProcess('clang-19', ['--target=bpf', '-mcpu=v3', '-g', '-O2', '-I', folder, '-c', source, '-o', object]);
  runProcess('llvm-strip-19', ['-g', object]);
  return object;
}

function compileLibbpfProgram(folder: string): string {
  const source = join(packageRoot(), 'test/bench/load-object/libbpf-loads.c');
  const program = join(folder, 'libbpf-loads');
  runProcess('gcc', ['-O2', source, '-o', program, '-lbpf']);
  return program;
}

function describeObject(path: string) {
  const object = readObject(readFileSync(path), path);
  const functions = [...object.programs, ...object.subprograms];
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    bytes: statSync(path).size,
    programs: object.programs.length,
    subprograms: object.subprograms.length,
    maps: object.maps.length,
    coreRelocations: sum(functions.map(({ coreRelocations }) => coreRelocations.length)),
    instructionSlots: sum(functions.map(({ instructions }) => instructions.byteLength / 8)),
    lines: sum(functions.map(({ lines }) => lines.length)),
  };
}
