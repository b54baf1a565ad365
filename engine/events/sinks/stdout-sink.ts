import { close, constants, fstatSync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { reasonOf, VespidError } from '../../errors/index.js';
import { LineSink } from './line-sink.js';
import { errnoOf } from './line-writer.js';
import type { Sink, SinkNotice } from './sink.js';

export interface StdoutSinkOptions {
  readonly onNotice: (notice: SinkNotice) => void;
  /** Default 1. */
  readonly fd?: number;
}

const STDOUT_FD = 1;
const closeFd = promisify(close);

/**
 * Writes events to standard output, one JSON object a line. It does not use `process.stdout`, which on Linux waits
 * for a slow reader with the whole event loop. When the reader has gone, events are dropped and counted.
 */
export function openStdoutSink(options: StdoutSinkOptions): Sink {
  const fd = options.fd ?? STDOUT_FD;
  const ownFd = reopenNonBlocking(fd);
  return new LineSink({
    name: 'stdout',
    fd: ownFd ?? fd,
    explain: (error) => {
      const reason = reasonOf(error);
      return new VespidError('SINK_STDOUT_FAILED', `standard output: events cannot be written: ${reason}`, {
        cause: error,
      });
    },
    isFinal: (error) => errnoOf(error) === 'EPIPE' || errnoOf(error) === 'EBADF',
    release: () => (ownFd === undefined ? Promise.resolve() : closeFd(ownFd)),
    onNotice: options.onNotice,
  });
}

/**
 * A descriptor of our own for the same pipe or terminal that does not block. O_NONBLOCK belongs to the open file
 * description, which standard output shares with other processes, so it cannot be set there. A regular file needs
 * no such thing; where it is not permitted, writes use the shared one and may hold a thread of the pool.
 */
function reopenNonBlocking(fd: number): number | undefined {
  try {
    const stat = fstatSync(fd);
    if (!stat.isFIFO() && !stat.isCharacterDevice()) return undefined;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}
