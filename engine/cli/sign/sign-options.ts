import type { SignerOptions } from '../signer-options.js';
import type { KeylessOptions } from './keyless-options.js';

/** The options of `vespid sign`. */
export interface SignOptions extends SignerOptions, KeylessOptions {
  readonly out?: string;
  readonly name?: string;
  readonly bundleVersion?: string;
  /** `auto`, `none` or a file. */
  readonly provenance: string;
  /** A bundle to add a signer to, instead of making one. */
  readonly add?: string;
  readonly json?: true;
}
