/** True when `error` is one of Node's system errors with this code (`ENOENT`). */
export function hasSystemCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
