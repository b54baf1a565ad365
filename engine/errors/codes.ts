/**
 * Every error code of Vespid, in one table. `exit` is the process exit code the CLI gives for it:
 * 1 failed, 2 usage, 3 refused by verification or trust, 4 not supported by this kernel.
 * `test/errors/codes.test.ts` holds this table and the code to each other.
 */
export const ERROR_CODES = {
  // Reading untrusted bytes (engine/bytecode)
  BYTES_OUT_OF_RANGE: { exit: 1, summary: 'a read past the end of the input' },

  // General input and environment
  INPUT_NOT_FOUND: { exit: 2, summary: 'a file or directory named on the command line does not exist' },
  INPUT_UNREADABLE: { exit: 1, summary: 'a file exists but could not be read or written' },
  USAGE: { exit: 2, summary: 'the command line is not of the documented form' },
  INTERNAL: { exit: 1, summary: 'a fault in Vespid itself; please report it' },
} as const satisfies Record<string, ErrorCodeEntry>;

/** One row of {@link ERROR_CODES}. */
export interface ErrorCodeEntry {
  readonly exit: 1 | 2 | 3 | 4;
  readonly summary: string;
}

export type ErrorCode = keyof typeof ERROR_CODES;
