import { Command } from 'commander';
import type { TrustPolicy } from '../../../signing/index.js';
import { suggestName, VespidError } from '../../errors/index.js';
import type { Insertion } from '../../trust/index.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import { addEditOptions, changeTrustPolicy, type EditOptions } from '../trust-edit.js';

interface RevokeOptions extends EditOptions {
  readonly reason: string;
}

export function trustRevokeCommand(): Command {
  return new Command('revoke')
    .description('take trust back: from a key, an identity, or a bundle, file or program by its digest')
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          [
            'vespid trust revoke key trust.yaml ci --reason "laptop lost, INC-77"',
            'a key by its id in the policy',
          ],
          ['vespid trust revoke digest trust.yaml sha256:4f1a… --reason CVE-2026-1', 'one bad build'],
        ],
      }),
    )
    .addCommand(
      revoke(new Command('key').description('revoke a key, whether the policy still names it or not'), [
        ['vespid trust revoke key trust.yaml ci --reason "laptop lost, INC-77"', 'by id, or by key id'],
      ])
        .argument('<key>', 'id in the policy, or key id as `vespid keygen` prints it')
        .action(printReport(revokeKey)),
    )
    .addCommand(
      revoke(
        new Command('identity').description(
          'revoke one subject of an issuer, also one that a pattern allows',
        ),
        [
          [
            'vespid trust revoke identity trust.yaml https://token.actions.githubusercontent.com https://github.com/acme/sensors/.github/workflows/release.yml@refs/tags/v3 --reason "built on a stolen runner"',
            'a workflow at one tag',
          ],
        ],
      )
        .argument('<issuer>', 'OpenID Connect issuer, exactly')
        .argument('<subject>', 'subject of the certificate, exactly')
        .action(printReport(revokeIdentity)),
    )
    .addCommand(
      revoke(
        new Command('digest').description('revoke a bundle, a policy, an object, or the code of a program'),
        [['vespid trust revoke digest trust.yaml sha256:4f1a… --reason CVE-2026-1', 'one bad build']],
      )
        .argument('<digest>', 'sha256:… of the manifest, file or instructions, as `vespid inspect` shows it')
        .action(printReport(revokeDigest)),
    );
}

/** What the three have in common; their own argument follows. */
function revoke(command: Command, examples: readonly (readonly [string, string])[]): Command {
  command
    .argument('<policy>', 'trust policy')
    .requiredOption('--reason <text>', 'shown when something is refused for it');
  return addEditOptions(command, examples);
}

function revokeKey(file: string, key: string, options: RevokeOptions): Report {
  const insertionsOf = (policy: TrustPolicy): readonly Insertion[] => [
    revocation('keys', { keyId: keyIdOf(policy, key), reason: options.reason }),
  ];
  return changeTrustPolicy(file, insertionsOf, `revoked key ${key} in ${file}`, options);
}

function keyIdOf({ signers }: TrustPolicy, key: string): string {
  if (/^[0-9a-f]{64}$/.test(key)) return key;
  const keys = signers.filter((signer) => signer.kind === 'key');
  const named = keys.find(({ id }) => id === key);
  if (named !== undefined) return named.publicKey.keyId;
  throw new VespidError('USAGE', `expected the id of a key in the policy or a key id, found ${key}`, {
    hint: suggestName(
      key,
      keys.map(({ id }) => id),
    ),
  });
}

function revokeIdentity(file: string, issuer: string, subject: string, options: RevokeOptions): Report {
  const { reason } = options;
  const insertions = [revocation('identities', { issuer, subject, reason })];
  return changeTrustPolicy(file, () => insertions, `revoked ${subject} of ${issuer} in ${file}`, options);
}

function revokeDigest(file: string, digest: string, options: RevokeOptions): Report {
  const { reason } = options;
  const insertions = [revocation('digests', { digest, reason })];
  return changeTrustPolicy(file, () => insertions, `revoked ${digest} in ${file}`, options);
}

function revocation(list: string, value: Readonly<Record<string, string>>): Insertion {
  return { kind: 'append', path: ['revoked', list], value };
}
