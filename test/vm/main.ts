/**
 * Boots Debian kernels in QEMU and runs the guest suite in each. See README.md beside this file.
 * Exit code: 0 all passed, 1 something failed, 2 usage; with --run, the command's own.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Guests } from './guests.js';
import { isKernelName, KERNEL_NAMES, type KernelName } from './kernels.js';
import { KernelReport, type Summary, sumOf } from './report.js';

const DEFAULT_TIMEOUT_SECONDS = 240;

/** What is run while working: under a minute for both kernels. The rest is slow: crowds, leaks, libbpf, the agent. */
const CORE_TESTS = ['environment', 'file-open', 'process-exec', 'net-connect', 'gate'];

const USAGE = `node dist/test/vm/main.js [options]
  --kernel NAME      ${KERNEL_NAMES.join(' or ')}; may be repeated; all kernels unless given
  --test PART        only guest test files with PART in their name; may be repeated;
                     ${CORE_TESTS.join(', ')} unless given
  --all              every guest test file, as CI does
  --run COMMAND      run a shell command in the guest instead, and print its output
  --timeout SECONDS  per kernel, boot included; ${DEFAULT_TIMEOUT_SECONDS} unless given
  --verbose          print what passing tests wrote, too
  --json PATH        write the counts to a file
`;

interface Options {
  readonly kernels: readonly KernelName[];
  readonly tests: readonly string[];
  readonly command: string | undefined;
  readonly timeoutMs: number;
  readonly verbose: boolean;
  readonly jsonPath: string | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      kernel: { type: 'string', multiple: true },
      test: { type: 'string', multiple: true },
      all: { type: 'boolean' },
      run: { type: 'string' },
      timeout: { type: 'string' },
      verbose: { type: 'boolean' },
      json: { type: 'string' },
    },
  });
  const kernels = (values.kernel ?? KERNEL_NAMES).map((name) => {
    if (!isKernelName(name)) throw new Error(`no kernel ${name}; there are ${KERNEL_NAMES.join(', ')}`);
    return name;
  });
  const timeoutSeconds = Number(values.timeout ?? DEFAULT_TIMEOUT_SECONDS);
  if (!(timeoutSeconds > 0)) throw new Error(`--timeout wants a number of seconds, not ${values.timeout}`);
  return {
    kernels,
    tests: values.all === true ? [] : (values.test ?? CORE_TESTS),
    command: values.run,
    timeoutMs: timeoutSeconds * 1000,
    verbose: values.verbose ?? false,
    jsonPath: values.json,
  };
}

async function runKernels(options: Options, workDirectory: string): Promise<KernelReport[]> {
  const guests = new Guests(log);
  // All downloads before the first boot.
  for (const kernel of options.kernels) guests.kernelDirectory(kernel);
  // The output of two guests at once would be a jumble.
  const isCommand = options.command !== undefined;
  const live = options.kernels.length === 1 && (isCommand || options.verbose);
  return await Promise.all(
    options.kernels.map(async (kernel) => {
      const command = options.command === undefined ? {} : { command: options.command };
      const report = new KernelReport(kernel, { live, isCommand });
      const result = await guests.run({
        request: { kernel, tests: options.tests, ...command },
        workDirectory,
        timeoutMs: options.timeoutMs,
        onMessage: (message) => report.receive(message),
      });
      report.finish(result, options.timeoutMs);
      return report;
    }),
  );
}

function log(line: string): void {
  process.stderr.write(`vm: ${line}\n`);
}

async function main(): Promise<number> {
  const options = readOptions();
  const workDirectory = mkdtempSync(join(tmpdir(), 'vespid-vm-'));
  process.once('exit', () => rmSync(workDirectory, { recursive: true, force: true }));
  const reports = await runKernels(options, workDirectory);
  if (options.command !== undefined) return Math.max(...reports.map((report) => report.exitCode));
  const summary: Summary = sumOf(reports);
  for (const report of reports) process.stdout.write(report.closingLine());
  if (options.jsonPath !== undefined) writeFileSync(options.jsonPath, JSON.stringify(summary));
  return summary.failed === 0 ? 0 : 1;
}

// So that the guests and the temporary folder go with this process, see the listeners of its exit.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage =
    error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`vm: ${error instanceof Error ? error.message : String(error)}\n`);
  if (isUsage) process.stderr.write(USAGE);
  process.exitCode = isUsage ? 2 : 1;
}
