import { VespidError } from '../../engine/errors/index.js';
import type { FuzzTarget } from './fuzz-target.js';

/** Why an input is a finding. `signature` is the same for the same fault in another input. */
export interface Fault {
  readonly kind: 'undocumented-error' | 'hang' | 'memory' | 'crash';
  readonly message: string;
  readonly signature: string;
}

/** Runs one input: undefined if it was read, or refused with a code that the target documents. */
export async function runCase(target: FuzzTarget, input: Uint8Array): Promise<Fault | undefined> {
  try {
    await target.run(input);
    return undefined;
  } catch (error) {
    if (error instanceof VespidError && target.codes.includes(error.code)) return undefined;
    return undocumented(error);
  }
}

function undocumented(error: unknown): Fault {
  if (!(error instanceof Error))
    return { kind: 'undocumented-error', message: String(error), signature: 'not an Error' };
  const name = error instanceof VespidError ? error.code : error.name;
  // Where in our code, without line numbers of what called it.
  const place = /at (?:async )?(\S+) .*\/((?:engine|signing)\/[^:]+)/.exec(error.stack ?? '');
  return {
    kind: 'undocumented-error',
    message: `${name}: ${error.message}`,
    signature: `${name} in ${place?.[1] ?? 'unknown'} of ${place?.[2] ?? 'unknown'}`,
  };
}
