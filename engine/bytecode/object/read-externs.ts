import { VespidError } from '../../errors/index.js';
import { FUNCTION_LINKAGE, INT_ENCODING, VARIABLE_LINKAGE } from '../btf/btf-format.js';
import { byteSizeOf, skipModifiers, underlyingType } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfInt } from '../btf/btf-type.js';
import { SECTION_INDEX_UNDEFINED, SYMBOL_BINDING, SYMBOL_TYPE } from '../elf/elf-format.js';
import type { ElfFile, ElfSymbol } from '../elf/elf-reader.js';
import type { KconfigExtern, ObjectExtern } from './object-extern.js';

/** Sections that exist only in BTF: what is in them is the kernel's. */
export const KCONFIG_SECTION = '.kconfig';
export const KSYMS_SECTION = '.ksyms';

/** The enum of bpf_helpers.h for configuration values that are y, m or n. */
const TRISTATE_ENUM = 'libbpf_tristate';

export interface Externs {
  readonly externs: readonly ObjectExtern[];
  readonly kconfigByteSize: number;
}

/**
 * The symbols that an object uses and does not define, as far as its BTF says what they are. One that BTF
 * does not know stays a name in the references to it.
 * @param btf as the compiler wrote it
 * @throws VespidError OBJECT_UNSUPPORTED for a configuration value of a type that libbpf has no rule for
 */
export function readExterns(elf: ElfFile, btf: Btf | undefined): Externs {
  const symbols = elf.symbols.filter(isExtern);
  if (btf === undefined || symbols.length === 0) return { externs: [], kconfigByteSize: 0 };
  const kconfigIds = new Set(idsInSection(btf, KCONFIG_SECTION));
  const kernelIds = new Set(idsInSection(btf, KSYMS_SECTION));
  const typeIds = externTypeIds(btf, [...kconfigIds, ...kernelIds]);
  const externs: ObjectExtern[] = [];
  const seen = new Set<string>();
  const kconfig: UnplacedKconfig[] = [];
  for (const symbol of symbols) {
    if (seen.has(symbol.name)) continue;
    seen.add(symbol.name);
    const typeId = typeIds.get(symbol.name);
    if (typeId === undefined) continue;
    const isWeak = symbol.binding === SYMBOL_BINDING.weak;
    if (kconfigIds.has(typeId)) kconfig.push(kconfigOf(btf, symbol.name, typeId, isWeak, elf.label));
    else if (kernelIds.has(typeId)) externs.push(kernelExtern(btf, symbol.name, typeId, isWeak));
  }
  const { placed, byteSize } = placeKconfig(kconfig);
  return { externs: [...placed, ...externs], kconfigByteSize: byteSize };
}

function isExtern(symbol: ElfSymbol): boolean {
  return (
    symbol.sectionIndex === SECTION_INDEX_UNDEFINED &&
    symbol.type === SYMBOL_TYPE.none &&
    symbol.binding !== SYMBOL_BINDING.local &&
    symbol.name !== ''
  );
}

function idsInSection(btf: Btf, section: string): number[] {
  const [typeId] = btf.idsByName(section, 'data-section');
  const type = typeId === undefined ? undefined : btf.type(typeId);
  return type?.kind === 'data-section' ? type.variables.map((variable) => variable.typeId) : [];
}

/** By name, the first if there are several. A map, for a hostile object has many symbols and many types. */
function externTypeIds(btf: Btf, candidates: readonly number[]): ReadonlyMap<string, number> {
  const typeIds = new Map<string, number>();
  for (const typeId of candidates.toSorted((a, b) => a - b)) {
    const type = btf.type(typeId);
    const isExternal =
      (type.kind === 'variable' && type.linkage === VARIABLE_LINKAGE.extern) ||
      (type.kind === 'function' && type.linkage === FUNCTION_LINKAGE.extern);
    if (isExternal && !typeIds.has(type.name)) typeIds.set(type.name, typeId);
  }
  return typeIds;
}

function kernelExtern(btf: Btf, name: string, typeId: number, isWeak: boolean): ObjectExtern {
  const type = btf.type(typeId);
  if (type.kind === 'function') return { kind: 'kfunc', name, isWeak, typeId };
  const valueId = type.kind === 'variable' ? type.typeId : 0;
  return { kind: 'variable', name, isWeak, typeId: skipModifiers(btf, valueId) };
}

type UnplacedKconfig = Omit<KconfigExtern, 'byteOffset'> & { readonly byteAlignment: number };

function kconfigOf(btf: Btf, name: string, typeId: number, isWeak: boolean, label: string): UnplacedKconfig {
  const type = btf.type(typeId);
  const valueId = type.kind === 'variable' ? type.typeId : 0;
  const form = type.kind === 'variable' ? kconfigForm(btf, valueId) : undefined;
  if (form === undefined) {
    throw new VespidError(
      'OBJECT_UNSUPPORTED',
      `${label}: the type of ${name} (__kconfig) is none that is read`,
      {
        hint: 'use bool, char, an integer, enum libbpf_tristate or an array of char',
      },
    );
  }
  const byteSize = byteSizeOf(btf, valueId);
  const byteAlignment = form.value === 'string' ? 1 : byteSize;
  return {
    kind: 'kconfig',
    name,
    isWeak,
    typeId: skipModifiers(btf, valueId),
    byteSize,
    byteAlignment,
    ...form,
  };
}

type KconfigForm = Pick<KconfigExtern, 'value' | 'isSigned'>;

/** By which rule a value of the configuration becomes one of this type; undefined if there is none. */
function kconfigForm(btf: Btf, typeId: number): KconfigForm | undefined {
  const type = underlyingType(btf, typeId);
  switch (type.kind) {
    case 'int':
      return numberForm(type);
    case 'enum':
    case 'enum64': {
      const isTristate = type.name === TRISTATE_ENUM && (type.kind === 'enum64' || type.byteSize === 4);
      return isTristate ? { value: 'tristate', isSigned: false } : undefined;
    }
    case 'array': {
      const element = underlyingType(btf, type.elementTypeId);
      const isText = type.count > 0 && element.kind === 'int' && numberForm(element)?.value === 'char';
      return isText ? { value: 'string', isSigned: false } : undefined;
    }
    default:
      return undefined;
  }
}

function numberForm(type: BtfInt): KconfigForm | undefined {
  const isSigned = (type.encoding & INT_ENCODING.signed) !== 0;
  if ((type.encoding & INT_ENCODING.bool) !== 0) {
    return type.byteSize === 1 ? { value: 'bool', isSigned: false } : undefined;
  }
  if (type.byteSize === 1) return { value: 'char', isSigned };
  return [2, 4, 8].includes(type.byteSize) ? { value: 'integer', isSigned } : undefined;
}

/** libbpf's layout: by alignment, widest first, then by size and name. */
function placeKconfig(unplaced: readonly UnplacedKconfig[]): { placed: KconfigExtern[]; byteSize: number } {
  const sorted = [...unplaced].sort(
    (a, b) =>
      b.byteAlignment - a.byteAlignment ||
      a.byteSize - b.byteSize ||
      (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
  let end = 0;
  const placed = sorted.map(({ byteAlignment, ...extern }) => {
    const byteOffset = Math.ceil(end / byteAlignment) * byteAlignment;
    end = byteOffset + extern.byteSize;
    return { ...extern, byteOffset };
  });
  return { placed, byteSize: end };
}
