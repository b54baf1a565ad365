/** The longest name of a map or program in the kernel, BPF_OBJ_NAME_LEN without its NUL. */
const MAX_NAME = 15;
/** Room that libbpf leaves for the section's part of a name, whatever its length: `.rodata`. */
const SECTION_PART = 7;

/**
 * What libbpf calls the map of a data section, so that tools find it by the usual name: the object's name cut to
 * eight characters and the section's (`my_objec.rodata`), or the section's alone where it has a suffix of its own
 * (`.data.config`).
 */
export function dataMapName(objectName: string, section: string): string {
  const sectionPart = section.slice(0, MAX_NAME);
  const reserved = Math.min(Math.max(SECTION_PART, section.length), MAX_NAME);
  const objectPart = section.includes('.', 1) ? '' : objectStem(objectName).slice(0, MAX_NAME - reserved);
  return `${objectPart}${sectionPart}`.replace(/[^A-Za-z0-9_.]/g, '_');
}

/** The file's name up to its first dot. */
function objectStem(objectName: string): string {
  const base = objectName.slice(objectName.lastIndexOf('/') + 1);
  const dot = base.indexOf('.');
  return dot === -1 ? base : base.slice(0, dot);
}
