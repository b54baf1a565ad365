import { VespidError } from '../../errors/index.js';
import type { LoadedProgram } from '../programs/loaded-program.js';

/** A program whose section, with the caller's options, does not say where it goes. */
export function cannotAttach({ name, section }: LoadedProgram, what: string, hint: string): VespidError {
  return new VespidError('ATTACH_UNSUPPORTED', `program ${name} (${section}) cannot be attached: ${what}`, {
    hint,
    details: { program: name, section },
  });
}
