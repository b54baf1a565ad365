/**
 * Writer for the "newc" cpio format that the kernel unpacks as an initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Archives may follow one another in one file.
 */
export type ArchiveEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: Uint8Array;
      readonly executable?: boolean;
    }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

const MODE = { file: 0o100644, executable: 0o100755, directory: 0o040755, symlink: 0o120777 } as const;
/** Header and content are each padded to this, counted from the start of the archive. */
const ALIGNMENT = 4;
/** The whole archive is padded to a block, so that another one can follow. */
const BLOCK_SIZE = 512;
const TRAILER = 'TRAILER!!!';

/** Writes entries as one archive; parent directories are added where they are not named. */
export function writeCpioArchive(entries: Iterable<ArchiveEntry>, write: (bytes: Uint8Array) => void): void {
  const directories = new Set<string>();
  let inode = 1;
  let offset = 0;

  const emit = (bytes: Uint8Array): void => {
    write(bytes);
    offset += bytes.length;
    const padding = -offset & (ALIGNMENT - 1);
    if (padding > 0) write(new Uint8Array(padding));
    offset += padding;
  };
  const emitEntry = (path: string, mode: number, content: Uint8Array): void => {
    emit(header(path, mode, content.length, inode++));
    if (content.length > 0) emit(content);
  };
  const emitDirectory = (path: string): void => {
    if (path === '' || directories.has(path)) return;
    emitDirectory(parentOf(path));
    directories.add(path);
    emitEntry(path, MODE.directory, new Uint8Array(0));
  };

  for (const entry of entries) {
    const path = entry.path.replace(/^\/+/, '');
    if (entry.kind === 'directory') {
      emitDirectory(path);
      continue;
    }
    emitDirectory(parentOf(path));
    if (entry.kind === 'symlink') emitEntry(path, MODE.symlink, Buffer.from(entry.target));
    else emitEntry(path, entry.executable === true ? MODE.executable : MODE.file, entry.content);
  }
  emitEntry(TRAILER, 0, new Uint8Array(0));
  const rest = offset % BLOCK_SIZE;
  if (rest > 0) write(new Uint8Array(BLOCK_SIZE - rest));
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

/** The 110-byte header, the path and its NUL. Owner, group, times and devices are all zero. */
function header(path: string, mode: number, contentSize: number, inode: number): Uint8Array {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, contentSize, 0, 0, 0, 0, name.length, 0];
  const text = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([Buffer.from(text), name]);
}
