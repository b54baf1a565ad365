import { type PublicKey, type Signer, verifyEd25519 } from '../../signing/index.js';
import { VespidError } from '../errors/index.js';
import { splitCommand } from './command-words.js';
import { runCommand } from './run-command.js';
import { readSignatureOutput } from './signature-output.js';

/** A touch or a PIN takes people a while. */
const DEFAULT_COMMAND_TIMEOUT_MS = 120_000;
/** A signature in hexadecimal has 128; the rest is room for line ends. */
const MAX_OUTPUT_BYTES = 1024;

/**
 * Signs by a command, for keys that cannot be read: in a KMS, an HSM, an agent. It gets the bytes to sign on
 * standard input and prints the signature. What it printed must verify with the public key before anything is
 * done with it: a command that uses another key is noticed here, not on a node.
 */
export class CommandSigner implements Signer {
  readonly publicKey: PublicKey;
  readonly #command: readonly [string, ...string[]];
  readonly #timeoutMs: number;

  /**
   * @param command program and arguments; see {@link splitCommand}
   * @throws VespidError USAGE
   */
  constructor(command: string, publicKey: PublicKey, timeoutMs = DEFAULT_COMMAND_TIMEOUT_MS) {
    this.#command = splitCommand(command);
    this.publicKey = publicKey;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws VespidError SIGNER_COMMAND_FAILED, SIGNER_COMMAND_TIMEOUT, SIGNER_OUTPUT_INVALID, SIGNER_KEY_MISMATCH */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    const limits = { timeoutMs: this.#timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES };
    const output = await runCommand(this.#command, message, limits);
    const signature = readSignatureOutput(output, `--sign-command ${this.#command[0]}`);
    this.#requireOurs(signature, message);
    return signature;
  }

  #requireOurs(signature: Uint8Array, message: Uint8Array): void {
    try {
      verifyEd25519(signature, message, this.publicKey.bytes, 'the signature');
    } catch (cause) {
      throw new VespidError(
        'SIGNER_KEY_MISMATCH',
        `--sign-command ${this.#command[0]}: expected a signature by key ${this.publicKey.keyId}, found another`,
        {
          hint: 'give the public key of the key that it signs with; it must sign the bytes themselves (Ed25519), not a hash',
          cause,
        },
      );
    }
  }
}
