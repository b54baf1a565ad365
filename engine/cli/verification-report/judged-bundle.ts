import type { Decision } from '../../../signing/index.js';
import type { VespidError } from '../../errors/index.js';
import { REFUSED_EXIT_CODE } from '../report.js';

/** What one call of `vespid verify` found out about one of its bundles, as the files for CI show it. */
export type JudgedBundle = AcceptedVerdict | FailedVerdict;

export interface AcceptedVerdict {
  /** The bundle as the command line names it. */
  readonly source: string;
  readonly outcome: 'accepted';
  readonly name: string;
  /** Digest of the manifest, `sha256:<hex>`. */
  readonly digest: string;
  /** Ids of the signers that counted. */
  readonly signers: readonly string[];
}

export interface FailedVerdict {
  readonly source: string;
  /** `refused` by verification or trust (exit code 3), or not `judged` at all: a file not found, for example. */
  readonly outcome: 'refused' | 'not judged';
  readonly error: VespidError;
  /** The parts of the bundle that the refusal is about: `program file.bpf.o#lsm/file_open/restrict`. */
  readonly subjects: readonly string[];
}

export function failedVerdict(source: string, error: VespidError): FailedVerdict {
  const outcome = error.exitCode === REFUSED_EXIT_CODE ? 'refused' : 'not judged';
  return { source, outcome, error, subjects: subjectsOf(error) };
}

/** Where grants are missing, once each. */
function subjectsOf({ details }: VespidError): string[] {
  // Nothing but the verifier of bundles calls something a decision; a refusal by the trust policy carries it.
  const decision = details?.['decision'] as Decision | undefined;
  const missing = decision?.signers.flatMap(({ missingGrants }) => missingGrants ?? []) ?? [];
  return [...new Set(missing.map(({ subject }) => subject))];
}
