import { Command } from 'commander';
import { helpNotes } from '../help-text.js';
import { trustAddCommand } from './trust-add.js';
import { trustCheckCommand } from './trust-check.js';
import { trustRevokeCommand } from './trust-revoke.js';
import { trustShowCommand } from './trust-show.js';
import { trustSignCommand } from './trust-sign.js';
import { trustSigstoreRootCommand } from './trust-sigstore-root.js';
import { trustStateCommand } from './trust-state.js';
import { trustUpdateCommand } from './trust-update.js';

/** The commands of `vespid trust`, in the order of its help. */
const TRUST_COMMANDS: readonly (() => Command)[] = [
  trustShowCommand,
  trustCheckCommand,
  trustAddCommand,
  trustRevokeCommand,
  trustSignCommand,
  trustUpdateCommand,
  trustStateCommand,
  trustSigstoreRootCommand,
];

export function trustCommand(): Command {
  const group = new Command('trust')
    .description('read and change trust policies: whose signatures count, and for what')
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['vespid trust show trust.yaml', 'who may sign what, and what is revoked'],
          ['vespid trust check trust.yaml', 'is it sound, and does it say what was meant?'],
          ['vespid trust sign trust.yaml --key root.key', 'so that nodes take only what root keys signed'],
        ],
      }),
    );
  for (const command of TRUST_COMMANDS) group.addCommand(command());
  return group;
}
