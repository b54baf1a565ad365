import type { Btf } from '../btf/btf-reader.js';

/** What `__exception_cb(name)` of bpf_experimental.h puts before the name. */
const TAG_PREFIX = 'exception_callback:';

/**
 * Names of the exception callbacks, by BTF id of the program that has it. A program with two has none here: the
 * kernel refuses it.
 */
export function exceptionCallbackNames(btf: Btf | undefined): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  if (btf === undefined) return names;
  const twice = new Set<number>();
  for (const typeId of btf.idsOfKind('declaration-tag')) {
    const tag = btf.type(typeId);
    if (tag.kind !== 'declaration-tag' || tag.componentIndex !== -1 || !tag.name.startsWith(TAG_PREFIX))
      continue;
    if (names.has(tag.typeId)) twice.add(tag.typeId);
    names.set(tag.typeId, tag.name.slice(TAG_PREFIX.length));
  }
  for (const typeId of twice) names.delete(typeId);
  return names;
}
