/**
 * The other side of libbpf-loads.c: opens, relocates and loads an object several times in one process, and prints
 * the same JSON. Node's start and the imports are not in the times; nothing is warmed up before the first load.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { argv, cpuUsage, resourceUsage, stdout } from 'node:process';
import koffi from 'koffi';
import { loadObject } from '../../../engine/bpf/index.js';
import { readObject } from '../../../engine/bytecode/index.js';

/** enum bpf_cmd */
const MAP_CREATE = 0;
const PROG_LOAD = 5;

const kernelMs = new Map<number, number>();
countKernelTime();

const [, , path = '', loads = '1'] = argv;
const rounds = Array.from({ length: Number(loads) }, () => loadOnce());
stdout.write(`${JSON.stringify({ loads: rounds, peakKiB: resourceUsage().maxRSS })}\n`);

function loadOnce() {
  kernelMs.clear();
  const cpuStart = cpuUsage();
  const start = performance.now();
  const object = readObject(readFileSync(path), path);
  const opened = performance.now();
  const loaded = loadObject(object);
  const end = performance.now();
  const cpu = cpuUsage(cpuStart);
  loaded[Symbol.dispose]();
  const kernel = [...kernelMs.values()].reduce((sum, ms) => sum + ms, 0);
  return {
    total: end - start,
    open: opened - start,
    kernel,
    mapCreate: kernelMs.get(MAP_CREATE) ?? 0,
    programLoad: kernelMs.get(PROG_LOAD) ?? 0,
    // Of all threads: V8 compiles on others.
    cpu: (cpu.user + cpu.system) / 1000,
  };
}

/** Stands in for libc's syscall(), as libbpf-loads.c does; the engine binds it at its first system call. */
function countKernelTime(): void {
  const load = koffi.load;
  koffi.load = (...parameters) => {
    const library = load(...parameters);
    const bind = library.func.bind(library);
    // The engine uses the one form that takes a prototype.
    const func = (prototype: string): unknown => {
      const call = bind(prototype);
      return prototype.includes(' syscall(') ? timed(call) : call;
    };
    // koffi's object is read-only, so that another stands before it.
    return Object.create(library, { func: { value: func } }) as typeof library;
  };
}

/** koffi's functions take what their prototype says; the engine's values pass through. */
function timed(call: (...values: unknown[]) => unknown) {
  return (...values: unknown[]): unknown => {
    const start = performance.now();
    const result = call(...values);
    const command = Number(values[1]);
    kernelMs.set(command, (kernelMs.get(command) ?? 0) + performance.now() - start);
    return result;
  };
}
