import { Command } from 'commander';
import { parseTrustedRoot } from '../../../signing/index.js';
import { ATTACH_TYPE, HELPER, PROGRAM_TYPE } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { type KnownNames, policyWarnings, readTrustPolicy } from '../../trust/index.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';

export function trustCheckCommand(): Command {
  return new Command('check')
    .description('validate a trust policy, and warn of what is probably not meant')
    .argument('<policy>', 'trust policy, plain or signed')
    .option('--strict', 'fail when there are warnings')
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          [
            'vespid trust check trust.yaml',
            'faults with file, line and column; warnings of what may be meant',
          ],
          ['vespid trust check trust.yaml --strict', 'for CI: exit code 1 when anything is to be said'],
        ],
        json: '{ "ok": true, "trust": path, "warnings": [sentence] (if any) }',
      }),
    )
    .action(printReport(check));
}

function check(file: string, { strict }: { readonly strict?: true }): Report {
  // Read and not opened: that it expired is one of the warnings, and it is checked before all have signed it.
  const { policy } = readTrustPolicy(file);
  // Elsewhere it is looked at when the first identity is verified, which may be in a year.
  if (policy.trustedRoot !== undefined) parseTrustedRoot(policy.trustedRoot, `${file}: trusted root`);
  const warnings = policyWarnings(policy, knownNames(), new Date());
  if (strict === true && warnings.length > 0) {
    throw new VespidError('TRUST_POLICY_DOUBTFUL', `${file}: ${warnings.join('; ')}`, {
      hint: 'change the trust policy, or check it without --strict',
      details: { warnings },
    });
  }
  const verdict = warnings.length === 0 ? 'sound' : `valid, with ${warnings.length} warnings`;
  return { text: `${file} is ${verdict}`, json: { trust: file }, warnings };
}

/** As claims spell them: the kernel's names, `cgroup_sock_addr`. */
function knownNames(): KnownNames {
  const kernelNames = (table: object) => Object.keys(table).map((name) => name.replaceAll('-', '_'));
  return {
    programTypes: kernelNames(PROGRAM_TYPE),
    attachTypes: kernelNames(ATTACH_TYPE),
    helpers: Object.keys(HELPER).map((name) => `bpf_${name}`),
  };
}
