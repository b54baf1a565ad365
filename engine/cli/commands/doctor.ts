import { Command, Option } from 'commander';
import { VespidError } from '../../errors/index.js';
import { FEATURE_PROBES, type KernelFeatures, probeFeature, probeKernel } from '../../kernel/index.js';
import { helpNotes } from '../help-text.js';
import { describeKernel, featureNames, KERNEL_JSON } from '../kernel-report.js';
import { requirePrivileges } from '../privileges.js';
import { withProbes } from '../probe-report.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('try what this kernel can do, and say which effect each hook can therefore deliver')
    .addOption(
      new Option('--all', 'also list every BPF program type, map type, helper and link that is probed'),
    )
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['sudo vespid doctor', 'every feature is tried, nothing stays behind'],
          ['sudo vespid doctor --all', 'what BPF can do on this kernel, with the mainline version of each'],
          ["sudo vespid doctor --json | jq '.hooks[] | {hook, effects}'", 'for a script'],
        ],
        json: KERNEL_JSON,
      }),
    )
    .action(printReport(doctor));
}

function doctor({ all = false }: { all?: boolean }): Report {
  const features = probeKernel();
  requireUsableBpf(features);
  const report = describeKernel(features);
  if (!all) return report;
  return withProbes(report, new Map([...FEATURE_PROBES.keys()].map((name) => [name, probeFeature(name)])));
}

/**
 * Without privileges every probe fails, and a table of failures would say nothing of the kernel.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_UNSUPPORTED
 */
export function requireUsableBpf(features: KernelFeatures, effectiveCapabilities?: bigint): void {
  // Types are a file that anyone may read; all else needs bpf(2).
  if (featureNames().some((name) => name !== 'btf' && features[name].available)) return;
  requirePrivileges(effectiveCapabilities);
  throw new VespidError(
    'KERNEL_UNSUPPORTED',
    `nothing of BPF can be used on kernel ${features.release}: ${features.ringBuffer.reason}`,
    {
      hint: 'a container needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, and a seccomp profile that allows bpf(2)',
      details: { kernel: features.release, reason: features.ringBuffer.reason },
    },
  );
}
