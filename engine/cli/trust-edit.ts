import { realpathSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import type { TrustPolicy } from '../../signing/index.js';
import { editTrustPolicy, type Insertion, unifiedDiff } from '../trust/index.js';
import { helpNotes } from './help-text.js';
import { replaceFile } from './output-file.js';
import type { Report } from './report.js';
import { jsonOption, verboseOption } from './shared-options.js';

export interface EditOptions {
  readonly dryRun?: true;
}

/** Gives a command that changes a trust policy the options and the help that all of them have. */
export function addEditOptions(
  command: Command,
  examples: readonly (readonly [command: string, meaning: string])[],
): Command {
  return command
    .option('--dry-run', 'print what would change, and change nothing')
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples,
        json: `{ "ok": true, "trust": path, "written": false with --dry-run, "diff": unified diff }`,
      }),
    );
}

/**
 * Changes a trust policy file in place, if it is still good afterwards: every byte that the change does not concern
 * stays, and the file is the old or the new one at every moment.
 *
 * @param insertionsOf what to put in, from what the policy says now
 * @param done what was done, in one sentence
 * @throws VespidError INPUT_*, OUTPUT_FAILED, TRUST_POLICY_*, KEY_*; nothing is then changed
 */
export function changeTrustPolicy(
  file: string,
  insertionsOf: (policy: TrustPolicy) => readonly Insertion[],
  done: string,
  { dryRun = false }: { readonly dryRun?: boolean },
): Report {
  const { before, after, policy } = editTrustPolicy(file, insertionsOf);
  const diff = unifiedDiff(before, after, file);
  if (!dryRun) {
    // A link to the policy stays one: what it points to is replaced.
    const target = realpathSync(file);
    replaceFile(target, after, statSync(target).mode & 0o7777);
  }
  const next =
    policy.version === undefined
      ? ''
      : '\nThe policy has a version: raise it, and sign the policy again with `vespid trust sign`.';
  return {
    text: dryRun ? diff : `${done}${next}`,
    json: { trust: file, written: !dryRun, diff },
  };
}
