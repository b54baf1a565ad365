import { VespidError } from '../../errors/index.js';

/** Largest name that every kernel takes in BTF: KSYM_NAME_LEN was 128 with its NUL before Linux 6.1. */
const MAX_NAME_LENGTH = 127;

/** What the object writer was given cannot be written: a fault of the caller, or of the policy it compiles. */
export function definitionError(message: string): VespidError {
  return new VespidError('OBJECT_DEFINITION_INVALID', `object definition: ${message}`);
}

/** @throws VespidError OBJECT_DEFINITION_INVALID for what the kernel would refuse as a name in BTF */
export function checkName(what: string, name: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && name.length <= MAX_NAME_LENGTH) return;
  throw definitionError(
    `${what} ${JSON.stringify(name)} is not a C identifier of at most ${MAX_NAME_LENGTH}`,
  );
}

/** @throws VespidError OBJECT_DEFINITION_INVALID */
export function checkUnsigned32(what: string, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return;
  throw definitionError(`${what} is ${value}, not an unsigned 32-bit number`);
}
