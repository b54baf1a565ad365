import { parsePublicKey } from '../../signing/index.js';
import { readInputFile, textOf } from './input-file.js';

/**
 * The key ids that `--root` names: 64 hexadecimal digits are one, anything else is the path of a public key.
 *
 * @throws VespidError INPUT_*, KEY_*
 */
export function rootPins(values: readonly string[] = []): readonly string[] {
  return values.map((value) =>
    /^[0-9a-f]{64}$/.test(value) ? value : parsePublicKey(textOf(readInputFile(value)), value).keyId,
  );
}
