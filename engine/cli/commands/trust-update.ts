import { Command } from 'commander';
import { type AppliedTrustPolicy, StateFile, updateTrustPolicies } from '../../trust/index.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import { rootPins } from '../root-pins.js';
import { jsonOption, rootOption, stateOption, verboseOption } from '../shared-options.js';
import { factLines } from '../text-table.js';

interface TrustUpdateOptions {
  readonly state: string;
  readonly root?: readonly string[];
}

export function trustUpdateCommand(): Command {
  return new Command('update')
    .description('accept signed trust policies on this node: the first one, or the next ones in order')
    .argument('<policies...>', 'signed trust policies, in the order of their versions')
    .addOption(stateOption())
    .addOption(rootOption())
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          [
            'vespid trust update trust.signed.json --root alice.pub --root bob.pub',
            'the first: only if the root keys that you know signed it',
          ],
          ['vespid trust update v8.signed.json v9.signed.json', 'a node that was away for a rotation or two'],
        ],
        json: `
{ "ok": true, "state": path, "applied": [{ "trust": path, "from": version or null, "version", "digest",
  "rootSigners": [keyId], "unknownSigners": [keyId] }] }`,
      }),
    )
    .action(printReport(update));
}

function update(files: readonly string[], { state, root }: TrustUpdateOptions): Report {
  const pins = rootPins(root);
  const applied = updateTrustPolicies(new StateFile(state), files, pins, new Date());
  return {
    text: applied.flatMap(describe).join('\n'),
    json: { state, applied: applied.map(toJson) },
    warnings: applied.flatMap(({ file, from, verified }) =>
      from !== undefined || pins.length > 0
        ? []
        : [
            `${file} is trusted on first use: nothing vouches for its root keys (${verified.policy.rootKeys.keys
              .map(({ keyId }) => keyId)
              .join(', ')}); name those that you know with --root`,
          ],
    ),
  };
}

function describe({ file, from, verified }: AppliedTrustPolicy): string[] {
  const { policy, digest, rootSigners, unknownSigners } = verified;
  return factLines([
    ['accepted', file],
    ['version', from === undefined ? `${policy.version}, the first` : `${policy.version}, after ${from}`],
    ['expires', policy.expires.toISOString()],
    ['digest', digest],
    ...rootSigners.map((keyId) => ['signed by', keyId] as const),
    ...unknownSigners.map((keyId) => ['ignored', `signature by ${keyId}, which is no root key`] as const),
  ]);
}

function toJson({ file, from, verified }: AppliedTrustPolicy) {
  const { policy, digest, rootSigners, unknownSigners } = verified;
  return { trust: file, from: from ?? null, version: policy.version, digest, rootSigners, unknownSigners };
}
