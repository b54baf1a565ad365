import { Command } from 'commander';
import {
  addPolicySignatures,
  isSignedPolicy,
  type Signer,
  type SigningProgress,
  signingProgress,
  signTrustPolicy,
  trustPolicyPayload,
} from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { openKey } from '../../signers/index.js';
import { readTrustFile } from '../../trust/index.js';
import { helpNotes } from '../help-text.js';
import { readInputFile, textOf } from '../input-file.js';
import { replaceFile } from '../output-file.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';
import { keySpecs, type SignerOptions, signerOptions } from '../signer-options.js';
import { processSurroundings } from '../surroundings.js';
import { factLines } from '../text-table.js';

interface TrustSignOptions extends SignerOptions {
  readonly add?: true;
  readonly out?: string;
}

const SIGNED_POLICY_MODE = 0o644;

export function trustSignCommand(): Command {
  const command = new Command('sign')
    .description(
      'sign a trust policy with root keys: keys and trusted root are put in, the result is one file',
    )
    .argument('<policy>', 'trust policy with version, expires and rootKeys; with --add, a signed one')
    .option('--add', 'add signatures to a policy that is signed already, over the same bytes')
    .option('--out <file>', 'signed trust policy (default: POLICY.signed.json, with --add the same file)')
    .addOption(jsonOption())
    .addOption(verboseOption());
  for (const option of signerOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          [
            'vespid trust sign trust.yaml --key alice.key',
            'writes trust.signed.json with the first signature',
          ],
          ['vespid trust sign trust.signed.json --add --key bob.key', 'the second, by somebody else'],
          [
            'vespid trust sign next.yaml --key alice.key --key carol.key --out next.signed.json',
            'a rotation: enough old root keys and enough new ones sign the next policy',
          ],
        ],
        json: `
{ "ok": true, "trust": path, "version", "expires": date-time, "digest", "threshold": count,
  "signed": [keyId], "unsigned": [keyId], "others": [keyId], "complete": boolean }`,
      }),
    )
    .action(printReport(sign));
}

async function sign(file: string, options: TrustSignOptions): Promise<Report> {
  const opened = [];
  for (const spec of keySpecs(options)) opened.push(await openKey(spec, processSurroundings));
  if (opened.length === 0) throw noKey();
  const signers = opened.map(({ signer }) => signer);
  const out = options.out ?? (options.add === true ? file : defaultOut(file));
  const signed = await signFile(file, options.add === true, signers);
  const progress = signingProgress(signed, file);
  replaceFile(out, signed, SIGNED_POLICY_MODE);
  return describe(out, progress, [
    ...opened.flatMap(({ warnings }) => warnings),
    ...warningsAbout(progress, signers, new Date()),
  ]);
}

function noKey(): VespidError {
  return new VespidError('USAGE', 'expected a root key to sign with, found none', {
    hint: 'give --key FILE, --key-env VAR, or --sign-command CMD with --public-key FILE',
  });
}

async function signFile(file: string, add: boolean, signers: readonly Signer[]): Promise<Uint8Array> {
  const { bytes, text } = readTrustFile(file);
  if (isSignedPolicy(text) !== add) {
    const [expected, found] = add ? ['signed', 'plain'] : ['plain', 'signed'];
    throw new VespidError('USAGE', `${file}: expected a ${expected} trust policy, found a ${found} one`, {
      hint: add ? 'leave out --add for the first signature' : 'add a signature to it with --add',
    });
  }
  if (add) return addPolicySignatures(bytes, file, signers);
  const payload = trustPolicyPayload(text, file, (path) => textOf(readInputFile(path)));
  return signTrustPolicy(payload, signers);
}

/** `trust.yaml` becomes `trust.signed.json`. */
function defaultOut(file: string): string {
  return `${file.replace(/\.(?:ya?ml|json)$/, '')}.signed.json`;
}

function warningsAbout(
  { policy, signed, others }: SigningProgress,
  signers: readonly Signer[],
  now: Date,
): string[] {
  const strangers = signers.map(({ publicKey }) => publicKey.keyId).filter((keyId) => others.includes(keyId));
  return [
    ...strangers.map(
      (keyId) =>
        `${keyId} is not a root key of this policy: it counts only as a root key of the policy before it`,
    ),
    ...(now < policy.expires ? [] : [`the policy expired at ${policy.expires.toISOString()}`]),
    ...(signed.length >= policy.rootKeys.threshold
      ? []
      : [
          `no node accepts it yet: ${signed.length} of ${policy.rootKeys.threshold} of its own root keys signed`,
        ]),
  ];
}

function describe(out: string, progress: SigningProgress, warnings: readonly string[]): Report {
  const { policy, digest, signed, unsigned, others } = progress;
  const { version, rootKeys } = policy;
  const expires = policy.expires.toISOString();
  return {
    text: factLines([
      ['trust policy', out],
      ['version', String(version)],
      ['expires', expires],
      ['digest', digest],
      ['root keys', `${signed.length} signed, ${rootKeys.threshold} needed of ${rootKeys.keys.length}`],
      ...signed.map((keyId) => ['signed by', keyId] as const),
      ...unsigned.map((keyId) => ['not yet by', keyId] as const),
      ...others.map((keyId) => ['also by', `${keyId} (no root key of this policy)`] as const),
    ]).join('\n'),
    json: {
      ...{ trust: out, version, expires, digest, threshold: rootKeys.threshold },
      ...{ signed, unsigned, others, complete: signed.length >= rootKeys.threshold },
    },
    warnings,
  };
}
