/**
 * Holds our loader to Debian's libbpf: each object of the kernel's BPF selftests and of ours through both, in each
 * guest kernel. See README.md beside this file. Exit code: 0 all as expected, 1 something differs, 2 usage.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Guests, PROJECT_ROOT } from '../vm/guests.js';
import { isKernelName, KERNEL_NAMES, type KernelName } from '../vm/kernels.js';
import { type Comparison, compare, leftOut } from './comparison.js';
import { readExplainedObjects } from './explained-objects.js';
import { GUEST_OBJECTS, OBJECT_SUFFIX, parseObjectResult } from './outcome.js';
import { buildOwnObjects } from './own-objects.js';
import { judge, renderTable } from './report.js';
import { buildSelftests, type SelftestBuild } from './selftest-objects.js';

const CACHE_DIRECTORY = join(PROJECT_ROOT, '.cache', 'peers');
const OWN_SOURCES = join(PROJECT_ROOT, 'test', 'fixtures', 'bytecode', 'peers');
const KNOWN_MISSES = join(PROJECT_ROOT, 'test', 'peers', 'known-misses.tsv');
const NOT_COMPARED = join(PROJECT_ROOT, 'test', 'peers', 'not-compared.tsv');
/** Both guests at once on two processors take a third of it. */
const GUEST_TIMEOUT_MS = 20 * 60_000;

const USAGE = `node dist/test/peers/main.js [options]
  --kernel NAME   ${KERNEL_NAMES.join(' or ')}; may be repeated; all kernels unless given
  --object PART   only objects with PART in their name; may be repeated
  --build         compile only
  --table PATH    write the table of all objects to a file, as text
  --json PATH     write counts and table to a file
`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      kernel: { type: 'string', multiple: true },
      object: { type: 'string', multiple: true },
      build: { type: 'boolean', default: false },
      table: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const kernels = (values.kernel ?? KERNEL_NAMES).map((name) => {
    if (!isKernelName(name)) throw new Error(`no kernel ${name}; there are ${KERNEL_NAMES.join(', ')}`);
    return name;
  });
  return { ...values, kernels };
}

/** Compiles everything; gives the objects and what did not compile. */
async function buildObjects(guests: Guests): Promise<{ objects: string[]; selftests: SelftestBuild }> {
  const boot = join(guests.kernelDirectory('6.12'), 'boot');
  const image = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined) throw new Error(`${boot} holds no kernel`);
  const selftests = await buildSelftests({
    sourcePackage: guests.packages.unpack('linux-source-6.12'),
    kernelImage: join(boot, image),
    cacheDirectory: CACHE_DIRECTORY,
    log,
  });
  const own = await buildOwnObjects(
    OWN_SOURCES,
    join(CACHE_DIRECTORY, `own-${process.pid}`),
    selftests.headers,
  );
  return { objects: [...own, ...selftests.objects], selftests };
}

/** Boots a guest that sends what both loaders make of each object. */
async function compareInGuest(
  guests: Guests,
  kernel: KernelName,
  objects: readonly string[],
  workDirectory: string,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  let text = '';
  let noise = '';
  let exitCode: number | undefined;
  const receive = (chunk: string): void => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const result = parseObjectResult(line);
      if (result === undefined) noise += `${line}\n`;
      else comparisons.push(compare(kernel, result));
    }
  };
  const result = await guests.run({
    request: { kernel, tests: [], command: 'node --single-threaded-gc dist/test/peers/guest/main.js' },
    files: objects.map((path) => ({ hostPath: path, guestPath: `${GUEST_OBJECTS}/${basename(path)}` })),
    workDirectory,
    timeoutMs: GUEST_TIMEOUT_MS,
    onMessage: (message) => {
      if (message.type === 'output') receive(message.text);
      if (message.type === 'end') exitCode = message.exitCode;
    },
  });
  if (exitCode === 0 && comparisons.length === objects.length) return comparisons;
  const cause = result.timedOut ? `did not finish in ${GUEST_TIMEOUT_MS / 1000} s` : `ended with ${exitCode}`;
  process.stdout.write(`${noise}\n${result.consoleTail}\n`);
  throw new Error(
    `guest ${kernel} ${cause} after ${comparisons.length} of ${objects.length} objects; ` +
      `the last was ${comparisons.at(-1)?.object}`,
  );
}

async function main(): Promise<number> {
  const options = readOptions();
  const workDirectory = mkdtempSync(join(tmpdir(), 'vespid-peers-'));
  process.once('exit', () => {
    rmSync(workDirectory, { recursive: true, force: true });
    rmSync(join(CACHE_DIRECTORY, `own-${process.pid}`), { recursive: true, force: true });
  });
  const guests = new Guests(log);
  const startedAtMs = Date.now();
  const { objects, selftests } = await buildObjects(guests);
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
  log(`${objects.length} objects, ${selftests.failures.length} did not compile, after ${seconds} s`);
  for (const { source, reason } of selftests.failures) log(`  ${source}: ${reason}`);
  if (options.build) return 0;

  const isWanted = (object: string) => options.object?.some((part) => object.includes(part)) ?? true;
  const explained = (path: string) =>
    readExplainedObjects(path).filter(
      ({ kernel, object }) => options.kernels.includes(kernel) && isWanted(object),
    );
  const notCompared = explained(NOT_COMPARED);
  const wanted = objects.filter((path) => isWanted(basename(path)));
  const compared = await Promise.all(
    options.kernels.map((kernel) => {
      const left = notCompared.filter((each) => each.kernel === kernel).map(({ object }) => object);
      const paths = wanted.filter((path) => !left.includes(basename(path, OBJECT_SUFFIX)));
      return compareInGuest(guests, kernel, paths, workDirectory);
    }),
  );
  const comparisons = [...compared.flat(), ...notCompared.map(leftOut)];
  const isWhole = options.object === undefined;
  const knownMisses = explained(KNOWN_MISSES);
  const judgement = judge(comparisons, knownMisses, { isWhole });
  if (options.table !== undefined) writeFileSync(options.table, renderTable(comparisons));
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      JSON.stringify({ ...judgement.counts, comparisons, failures: selftests.failures }),
    );
  process.stdout.write(judgement.text);
  return judgement.counts.failed === 0 ? 0 : 1;
}

function log(line: string): void {
  process.stderr.write(`peers: ${line}\n`);
}

// So that the guests and the temporary folder go with this process, see the listeners of its exit.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage =
    error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`peers: ${error instanceof Error ? error.message : String(error)}\n`);
  if (isUsage) process.stderr.write(USAGE);
  process.exitCode = isUsage ? 2 : 1;
}
