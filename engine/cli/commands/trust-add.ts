import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { parsePublicKey } from '../../../signing/index.js';
import type { Insertion } from '../../trust/index.js';
import { helpNotes } from '../help-text.js';
import { readInputFile, textOf } from '../input-file.js';
import { printReport, type Report } from '../report.js';
import { addSignerTerms, groupInsertions, type SignerTermsOptions, termsOf } from '../signer-terms.js';
import { addEditOptions, changeTrustPolicy, type EditOptions } from '../trust-edit.js';

export function trustAddCommand(): Command {
  return new Command('add')
    .description('add a signer to a trust policy, whose comments and layout stay')
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['vespid trust add key trust.yaml ci.pub --effect audit', 'a key that may sign what only watches'],
          ['vespid trust add identity --help', 'a workflow that signs without a key'],
        ],
      }),
    )
    .addCommand(addKeyCommand())
    .addCommand(addIdentityCommand());
}

interface AddKeyOptions extends SignerTermsOptions, EditOptions {
  readonly id?: string;
  readonly inline?: true;
}

function addKeyCommand(): Command {
  const command = new Command('key')
    .description('add a public key')
    .argument('<policy>', 'trust policy')
    .argument('<public-key>', 'public key file, PEM')
    .option('--id <id>', 'name of the key (default: the name of the file without .pub)')
    .option('--inline', 'put the key itself into the policy, not its path');
  return addEditOptions(addSignerTerms(command), [
    ['vespid trust add key trust.yaml ci.pub --bundle "edge-*" --effect audit', 'limited from the start'],
    [
      'vespid trust add key trust.yaml bob.pub --group security --valid-until 2027-06-01T00:00:00Z --dry-run',
      'shows what would change',
    ],
  ]).action(printReport(addKey));
}

function addKey(policyFile: string, keyFile: string, options: AddKeyOptions): Report {
  const { id = basename(keyFile).replace(/\.pub$/, ''), inline } = options;
  const pem = textOf(readInputFile(keyFile));
  const { keyId } = parsePublicKey(pem, keyFile);
  const key = {
    id,
    publicKey: inline === true ? pem : besidePolicy(policyFile, keyFile),
    ...termsOf(options),
  };
  const insertions: readonly Insertion[] = [
    { kind: 'append', path: ['keys'], value: key },
    ...groupInsertions(id, options),
  ];
  return changeTrustPolicy(
    policyFile,
    () => insertions,
    `added key ${id} (${keyId}) to ${policyFile}`,
    options,
  );
}

interface AddIdentityOptions extends SignerTermsOptions, EditOptions {
  readonly id: string;
  readonly issuer: string;
  readonly subject?: string;
  readonly subjectPattern?: string;
  readonly trustedRoot?: string;
}

function addIdentityCommand(): Command {
  const command = new Command('identity')
    .description('add a Sigstore identity: who proved to an issuer to be a workflow or a person')
    .argument('<policy>', 'trust policy')
    .requiredOption('--id <id>', 'name of the identity')
    .requiredOption('--issuer <url>', 'OpenID Connect issuer, compared exactly')
    .option('--subject <name>', 'subject of the certificate, compared exactly')
    .option('--subject-pattern <pattern>', 'pattern for the whole subject: * within one segment, ** across')
    .option('--trusted-root <file>', 'Sigstore trusted root, when the policy names none yet');
  return addEditOptions(addSignerTerms(command), [
    [
      'vespid trust add identity trust.yaml --id release --issuer https://token.actions.githubusercontent.com --subject-pattern "https://github.com/acme/sensors/.github/workflows/release.yml@refs/tags/v*" --trusted-root trusted_root.json',
      'a release workflow at its tags',
    ],
  ]).action(printReport(addIdentity));
}

function addIdentity(policyFile: string, options: AddIdentityOptions): Report {
  const { id, issuer, subject, subjectPattern, trustedRoot } = options;
  const identity = {
    ...{ id, issuer },
    ...(subject === undefined ? {} : { subject }),
    ...(subjectPattern === undefined ? {} : { subjectPattern }),
    ...termsOf(options),
  };
  const root: readonly Insertion[] =
    trustedRoot === undefined
      ? []
      : [{ kind: 'set', path: ['sigstore', 'trustedRoot'], value: besidePolicy(policyFile, trustedRoot) }];
  const insertions: readonly Insertion[] = [
    ...root,
    { kind: 'append', path: ['identities'], value: identity },
    ...groupInsertions(id, options),
  ];
  return changeTrustPolicy(policyFile, () => insertions, `added identity ${id} to ${policyFile}`, options);
}

/** A path as the policy names it: seen from its own directory, links on the way resolved as the system does. */
function besidePolicy(policyFile: string, path: string): string {
  return relative(realDirectoryOf(policyFile), resolve(realDirectoryOf(path), basename(path)));
}

/** One that is not there is an error of whoever reads the file. */
function realDirectoryOf(path: string): string {
  const directory = dirname(path);
  return existsSync(directory) ? realpathSync(directory) : resolve(directory);
}
