import { reasonOf, VespidError } from '../errors/index.js';

export function unsafeState(path: string, expectation: string): VespidError {
  return new VespidError('TRUST_STATE_UNSAFE', `${path}: expected ${expectation}`, {
    hint: 'make sure that only its owner can change it (chown, chmod go-w), and that nobody did',
  });
}

export function unreadableState(path: string, cause: unknown): VespidError {
  return new VespidError('TRUST_STATE_UNREADABLE', `${path} cannot be read: ${reasonOf(cause)}`, {
    hint: 'run as the user who owns it, name another file with --state, or pass --no-state to go without memory',
    cause,
  });
}

export function unwritableState(path: string, cause: unknown): VespidError {
  return new VespidError('TRUST_STATE_UNWRITABLE', `${path} cannot be written: ${reasonOf(cause)}`, {
    hint: 'name a file on a writable disk with --state, or pass --no-state to go without protection from older versions',
    cause,
  });
}
