import { createHash } from 'node:crypto';
import { parsePolicies } from '../../../policies/language/index.js';
import type { NamedBytes, PolicyClaim } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';

/**
 * What can be said of every policy of a file from its bytes.
 *
 * @throws VespidError POLICY_*, INPUT_NOT_TEXT
 */
export function policyClaims({ name: file, bytes }: NamedBytes): readonly PolicyClaim[] {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return parsePolicies(textOf(file, bytes), file).map(({ name, rules }) => ({
    ...{ file, digest, name },
    hooks: rules.map(({ hook }) => hook),
    effects: rules.map(({ effect }) => effect),
  }));
}

function textOf(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new VespidError('INPUT_NOT_TEXT', `${file} is not UTF-8 text`, {
      hint: 'policies are YAML in UTF-8',
      cause,
    });
  }
}
