import type { AttestationSigner } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { type OpenedSigner, openKeylessSigner, openSigner } from '../../signers/index.js';
import { keySpecs, type SignerOptions } from '../signer-options.js';
import { processSurroundings } from '../surroundings.js';
import { type KeylessOptions, keylessSpec } from './keyless-options.js';
import type { SignProgress } from './sign-progress.js';

export interface OpenedSigners {
  readonly signers: readonly AttestationSigner[];
  readonly warnings: readonly string[];
}

/**
 * Opens whoever the command line says is to sign, asking for passphrases before any work is done.
 *
 * @throws VespidError USAGE for none and for one twice, and those of opening a key
 */
export async function openAllSigners(options: SignerOptions & KeylessOptions): Promise<OpenedSigners> {
  const keyless = keylessSpec(options);
  const opened: OpenedSigner[] = [];
  for (const spec of keySpecs(options)) opened.push(await openSigner(spec, processSurroundings));
  if (keyless !== undefined) opened.push(await openKeylessSigner(keyless, processSurroundings));
  if (opened.length === 0) {
    throw new VespidError('USAGE', 'expected someone to sign, found no key', {
      hint: 'give --key FILE, --key-env VAR, --sign-command CMD with --public-key FILE, or --keyless',
    });
  }
  const signers = opened.map(({ signer }) => signer);
  requireDistinct(signers);
  return { signers, warnings: opened.flatMap(({ warnings }) => warnings) };
}

function requireDistinct(signers: readonly AttestationSigner[]): void {
  const labels = signers.map(({ label }) => label);
  const twice = labels.find((label, index) => labels.indexOf(label) < index);
  if (twice === undefined) return;
  throw new VespidError('USAGE', `expected different signers, found ${twice} twice`, {
    hint: 'a threshold counts distinct signers; name each of them once',
  });
}

/** The same signers, who say when it is their turn. */
export function announcing(
  signers: readonly AttestationSigner[],
  progress: SignProgress,
): readonly AttestationSigner[] {
  return signers.map((signer) => ({
    label: signer.label,
    attest: (payloadType, payload) => {
      progress(`signing with ${signer.label}`);
      return signer.attest(payloadType, payload);
    },
  }));
}
