import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { reasonOf, VespidError } from '../../errors/index.js';
import { LineSink } from './line-sink.js';
import { errnoOf } from './line-writer.js';
import type { Sink, SinkNotice } from './sink.js';

/** Events name files, users and arguments: for the owner only. An existing file keeps its mode. */
const FILE_MODE = 0o600;
/** O_NONBLOCK so that a named pipe without a reader is an error at once and a full one does not hold a thread. */
const OPEN_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

export interface JsonlSinkOptions {
  readonly path: string;
  readonly onNotice: (notice: SinkNotice) => void;
  readonly queueLimitBytes?: number;
}

/**
 * Appends events to a file, one JSON object a line. A full disk or a pipe without a reader is waited out.
 *
 * @throws VespidError SINK_FILE_UNWRITABLE
 */
export async function openJsonlSink(options: JsonlSinkOptions): Promise<Sink> {
  const { path } = options;
  let file: FileHandle;
  try {
    file = await open(path, OPEN_FLAGS, FILE_MODE);
  } catch (error) {
    throw unwritable(path, error);
  }
  return new LineSink({
    ...options,
    name: `jsonl:${path}`,
    fd: file.fd,
    // A line that an earlier process could not finish must not swallow the first event.
    firstBytes: (await endsInsideLine(path)) ? '\n' : '',
    explain: (error) => unwritable(path, error),
    release: () => file.close(),
  });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'create the directory first',
  EISDIR: 'give the name of a file, not of a directory',
  EACCES: 'give a place where this user may write',
  EROFS: 'give a place where this user may write',
  ENOSPC: 'free space on that file system',
  EDQUOT: 'free space within the quota of this user',
  ENXIO: 'start the reader of the pipe first',
  EPIPE: 'start the reader of the pipe again',
};

function unwritable(path: string, error: unknown): VespidError {
  const errno = errnoOf(error) ?? '';
  const hint = HINTS[errno];
  const reason = reasonOf(error);
  return new VespidError('SINK_FILE_UNWRITABLE', `${path}: events cannot be written: ${reason}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Whether the file is a regular one whose last byte is not a line feed. One that may not be read counts as whole. */
async function endsInsideLine(path: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size === 0) return false;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, stat.size - 1);
    return bytesRead === 1 && buffer.readUInt8(0) !== 0x0a;
  } finally {
    await file.close();
  }
}
