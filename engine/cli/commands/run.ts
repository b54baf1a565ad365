import { Command, Option } from 'commander';
import type { GateMode } from '../../loader/index.js';
import { jsonLog, textLog } from '../agent-log.js';
import { helpNotes } from '../help-text.js';
import { runBundles } from '../run-bundles.js';
import { rootOption, stateOption, trustOption, verboseOption } from '../shared-options.js';

interface RunCommandOptions {
  readonly trust: string;
  /** False with --no-state. */
  readonly state: string | false;
  readonly root?: readonly string[];
  readonly sink?: readonly string[];
  readonly cgroup?: string;
  readonly gate?: GateMode;
  readonly degrade?: true;
  readonly json?: true;
}

const NOTES = helpNotes({
  examples: [
    ['vespid run starter.bundle --trust trust.yaml', 'enforce on the whole machine, events as JSON lines'],
    [
      'vespid run a.bundle b.bundle --trust trust.yaml --sink jsonl:/var/log/vespid.jsonl --sink kafka:127.0.0.1:9092/events',
      'two bundles, events to a file and to Kafka',
    ],
    [
      'vespid run starter.bundle --trust trust.yaml --cgroup /sys/fs/cgroup/tenant --degrade',
      'one cgroup only, with the strongest effect that the kernel has',
    ],
    [
      'vespid run starter.bundle --trust trust.yaml --gate enforce',
      'the kernel also refuses every BPF program that is not from these bundles (kernel 6.9 or later)',
    ],
  ],
  json: `on standard error, a line for each notice: {level, time, msg, ...}; the last has
"summary": {seconds, pipeline: {events, byVerdict, undecodable}, kernel: {lost, unjudged, matched},
sinks: [{name, accepted, delivered, retried, dropped, pending}]}`,
});

export function runCommand(): Command {
  return new Command('run')
    .description('verify bundles, load them into the kernel and enforce them until SIGINT or SIGTERM')
    .argument('<bundle...>', 'bundle directories or tar files')
    .addOption(trustOption())
    .addOption(stateOption())
    .option('--no-state', 'without memory: older versions are accepted, and nothing is recorded')
    .addOption(rootOption())
    .option(
      '--sink <sink>',
      'where events go, as often as wanted: stdout, jsonl:PATH, kafka:HOST:PORT[,HOST:PORT...]/TOPIC (default: stdout)',
      (sink: string, earlier: readonly string[] = []) => [...earlier, sink],
    )
    .option('--cgroup <path>', 'judge only processes of this cgroup v2 directory and below (default: all)')
    .addOption(
      new Option('--gate <mode>', 'let the kernel refuse, or report, BPF programs from elsewhere').choices([
        'enforce',
        'audit',
      ]),
    )
    .option('--degrade', 'where the kernel cannot deliver an effect, accept the weaker one that it can')
    .option('--json', 'notices and the closing summary as JSON lines on standard error')
    .addOption(verboseOption())
    .addHelpText('after', NOTES)
    .action((bundles: string[], options: RunCommandOptions) =>
      runBundles({
        bundles,
        trust: options.trust,
        state: options.state === false ? undefined : options.state,
        roots: options.root ?? [],
        sinks: options.sink ?? ['stdout'],
        cgroup: options.cgroup,
        gate: options.gate,
        degrade: options.degrade === true,
        log: options.json === true ? jsonLog() : textLog(),
      }),
    );
}
