import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MAP_TYPE, type ObjectMap } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { BpfMap, MAP_FLAG } from '../../kernel/index.js';
import { fittedMap } from './map-create.js';

/** Where libbpf looks for maps that are pinned by name, and pins them. */
export const DEFAULT_PIN_PATH = '/sys/fs/bpf';

/**
 * Where an object's map is pinned: its name is the object's to choose, the directory is not.
 *
 * @throws VespidError MAP_DEFINITION_INVALID for a name that leads elsewhere
 */
export function pinPathOf(directory: string, { name }: Pick<ObjectMap, 'name'>): string {
  if (name !== '' && name !== '.' && name !== '..' && !name.includes('/')) return join(directory, name);
  throw new VespidError(
    'MAP_DEFINITION_INVALID',
    `map ${JSON.stringify(name)} cannot be pinned by its name`,
    {
      details: { map: name },
    },
  );
}

/**
 * The map that is pinned at a path, or undefined when nothing is there.
 *
 * @throws VespidError PIN_MISMATCH when it is another map than the object declares, KERNEL_*
 */
export function openPinnedMap(declared: ObjectMap, path: string): BpfMap | undefined {
  const pinned = openIfThere(path);
  if (pinned === undefined) return undefined;
  try {
    checkSameMap(declared, pinned, path);
    return pinned;
  } catch (error) {
    pinned.close();
    throw error;
  }
}

function openIfThere(path: string): BpfMap | undefined {
  try {
    return BpfMap.openPinned(path);
  } catch (error) {
    if (error instanceof VespidError && error.code === 'PIN_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Pins a map for others to find, in a directory that is made if it is not there. @throws VespidError KERNEL_* */
export function pinMap(map: BpfMap, path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new VespidError('KERNEL_CALL_FAILED', `the directory ${dirname(path)} for pins cannot be made`, {
      cause,
    });
  }
  map.pin(path);
}

function checkSameMap(declared: ObjectMap, pinned: BpfMap, path: string): void {
  const expected = fittedMap(declared);
  const info = pinned.info();
  // The kernel reports a flag of every map of devices that nobody set (dev_map_init_map).
  const isDevices = info.type === MAP_TYPE.devmap || info.type === MAP_TYPE.devmapHash;
  const rows = [
    ['type', expected.type, info.type],
    ['key bytes', expected.keySize, info.keySize],
    ['value bytes', expected.valueSize, info.valueSize],
    ['entries', expected.maxEntries, info.maxEntries],
    ['flags', expected.flags, isDevices ? info.flags & ~MAP_FLAG.readOnlyForPrograms : info.flags],
    ['extra', expected.mapExtra, info.mapExtra],
  ] as const;
  const different = rows.filter(([, wanted, found]) => wanted !== found);
  if (different.length === 0) return;
  const list = different
    .map(([what, wanted, found]) => `${what} ${wanted} declared, ${found} pinned`)
    .join('; ');
  throw new VespidError('PIN_MISMATCH', `map ${declared.name} is pinned at ${path} and differs: ${list}`, {
    details: { map: declared.name, path },
    hint: 'remove the pin if nothing uses it any more, or give another pinPath',
  });
}
