import { cpus, release, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { formatError, VespidError } from '../../engine/errors/index.js';
import { fileOpenCost } from './file-open-cost.js';
import { kernelBtfOpen } from './kernel-btf/kernel-btf-open.js';
import { loadObjectVsLibbpf } from './load-object/load-object-vs-libbpf.js';
import { loadStarterBundle } from './load-starter-bundle.js';
import { packageVersion } from './package-root.js';
import { ringBufferVsLibbpf } from './ring-buffer/ring-buffer-vs-libbpf.js';
import { ringToJsonl, ringToKafka } from './ring-to-sink.js';
import { signAndVerify } from './signing/sign-and-verify.js';

const USAGE = 'usage: npm run bench -- [--only NAME] [--kafka HOST:PORT | --kafka start]';

/** Every benchmark by name; one that needs a broker runs only where one is given. */
const BENCHMARKS: Readonly<Record<string, (kafka: string | undefined) => Promise<unknown> | undefined>> = {
  'file-open-cost': fileOpenCost,
  'ring-to-jsonl': ringToJsonl,
  'ring-to-kafka': (kafka) => (kafka === undefined ? undefined : ringToKafka(kafka)),
  'load-starter-bundle': loadStarterBundle,
  'kernel-btf-open': kernelBtfOpen,
  'load-object-vs-libbpf': loadObjectVsLibbpf,
  'ring-buffer-vs-libbpf': ringBufferVsLibbpf,
  'sign-and-verify': signAndVerify,
};

function describeMachine() {
  const [cpu] = cpus();
  return {
    kernel: release(),
    cpu: cpu?.model ?? 'unknown',
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    vespid: packageVersion(),
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, kafka: { type: 'string' } } });
  const names = Object.keys(BENCHMARKS);
  if (values.only !== undefined && !names.includes(values.only)) {
    process.stderr.write(`there is no benchmark ${values.only}; there are ${names.join(', ')}\n${USAGE}\n`);
    return 2;
  }
  const results: Record<string, unknown> = {};
  for (const [name, run] of Object.entries(BENCHMARKS)) {
    if (values.only !== undefined && values.only !== name) continue;
    const start = performance.now();
    const result = run(values.kafka);
    if (result === undefined) {
      process.stderr.write(`${name}: left out, it needs --kafka HOST:PORT, or --kafka start\n`);
      continue;
    }
    results[name] = await result;
    process.stderr.write(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  }
  process.stdout.write(`${JSON.stringify({ machine: describeMachine(), results }, undefined, 2)}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof VespidError)) throw error;
  process.stderr.write(`${formatError(error)}\n`);
  process.exitCode = error.exitCode;
}
