import { VespidError } from '../../errors/index.js';
import { FUNCTION_LINKAGE, VARIABLE_LINKAGE } from './btf-format.js';
import type { Btf } from './btf-reader.js';
import type { BtfComposite, BtfEnum, BtfFunctionPrototype, BtfMember, BtfType } from './btf-type.js';

/** Types in one declaration, one inside or behind the other. C compilers guarantee 63 (C11 5.2.4.1). */
const MAX_DECLARATION_DEPTH = 64;
/** Pieces of one declaration; anonymous structs that multiply are an attack on whoever prints them. */
const MAX_DECLARATION_PARTS = 100_000;
/** Characters of all pieces: the longest declaration of a kernel has some 30,000. */
const MAX_DECLARATION_CHARACTERS = 16 * 1024 * 1024;

/**
 * A type as C declares it, in the form of `bpftool btf dump format c`: a definition of what has a body, a
 * declaration of the rest. Padding and attributes that a compiler would need to lay a struct out in the same
 * way are left out.
 * @returns `struct list_head {\n\tstruct list_head *next;\n\tstruct list_head *prev;\n};`
 * @throws VespidError BTF_MALFORMED if there is no such type, or it nests too deep to be written
 */
export function formatType(btf: Btf, typeId: number): string {
  return `${new Declaration(btf).statement(typeId)};`;
}

/** One run over one type. */
class Declaration {
  readonly #btf: Btf;
  #partsLeft = MAX_DECLARATION_PARTS;
  #charactersLeft = MAX_DECLARATION_CHARACTERS;

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  statement(typeId: number): string {
    const type = this.#btf.type(typeId);
    switch (type.kind) {
      case 'struct':
      case 'union':
        return this.#composite(type, 0);
      case 'enum':
      case 'enum64':
        return enumeration(type, 0);
      case 'typedef':
        return `typedef ${this.#declare(type.typeId, type.name, 0, 0)}`;
      case 'function':
        return `${type.linkage === FUNCTION_LINKAGE.extern ? 'extern ' : ''}${this.#declare(type.typeId, type.name, 0, 0)}`;
      case 'variable':
        return `${storageClass(type.linkage)}${this.#declare(type.typeId, type.name, 0, 0)}`;
      default:
        return this.#declare(typeId, '', 0, 0);
    }
  }

  /**
   * A declaration of `declarator` as being of a type: C writes types around names, from the inside out.
   * @param indent tabs before the lines of a body
   */
  #declare(typeId: number, declarator: string, indent: number, depth: number): string {
    const type = this.#btf.type(typeId);
    this.#spend(typeId, depth, declarator.length + ('name' in type ? type.name.length : 0));
    const inside = depth + 1;
    switch (type.kind) {
      case 'pointer':
        return this.#declare(type.typeId, this.#pointer(type.typeId, declarator), indent, inside);
      case 'const':
      case 'volatile':
      case 'restrict':
        return this.#qualified(type.kind, type.typeId, declarator, indent, inside);
      case 'type-tag':
        return this.#declare(type.typeId, declarator, indent, inside);
      case 'array':
        return this.#declare(type.elementTypeId, `${declarator}[${type.count}]`, indent, inside);
      case 'function-prototype': {
        const parameters = this.#parameters(type, indent, inside);
        return this.#declare(type.returnTypeId, `${declarator}(${parameters})`, indent, inside);
      }
      case 'struct':
      case 'union':
        return spaced(type.name === '' ? this.#composite(type, indent, inside) : named(type), declarator);
      case 'enum':
      case 'enum64':
        return spaced(type.name === '' ? enumeration(type, indent) : named(type), declarator);
      default:
        return spaced(named(type), declarator);
    }
  }

  /** What a pointer points to binds closer than the star if it is an array or function. */
  #pointer(targetTypeId: number, declarator: string): string {
    const target = this.#btf.type(this.#underQualifiers(targetTypeId));
    const bindsCloser = target.kind === 'array' || target.kind === 'function-prototype';
    return bindsCloser ? `(*${declarator})` : `*${declarator}`;
  }

  /** A pointer has its qualifiers after the star, everything else before. */
  #qualified(qualifier: string, typeId: number, declarator: string, indent: number, depth: number): string {
    if (this.#btf.kindOf(this.#underQualifiers(typeId)) === 'pointer') {
      return this.#declare(typeId, spaced(qualifier, declarator), indent, depth);
    }
    // GCC says of a constant array that its elements are constant as well.
    const declaration = this.#declare(typeId, declarator, indent, depth);
    return declaration.startsWith(`${qualifier} `) ? declaration : `${qualifier} ${declaration}`;
  }

  #underQualifiers(typeId: number): number {
    let current = typeId;
    for (let depth = 0; depth < MAX_DECLARATION_DEPTH; depth++) {
      const type = this.#btf.type(current);
      const isQualifier =
        type.kind === 'const' ||
        type.kind === 'volatile' ||
        type.kind === 'restrict' ||
        type.kind === 'type-tag';
      if (!isQualifier) return current;
      current = type.typeId;
    }
    throw this.#tooDeep(typeId);
  }

  #parameters(type: BtfFunctionPrototype, indent: number, depth: number): string {
    if (type.parameters.length === 0) return 'void';
    return type.parameters
      .map(({ name, typeId }) => (typeId === 0 ? '...' : this.#declare(typeId, name, indent, depth)))
      .join(', ');
  }

  #composite(type: BtfComposite, indent: number, depth = 0): string {
    const head = spaced(type.kind, type.name);
    if (type.members.length === 0) return `${head} {}`;
    const inner = '\t'.repeat(indent + 1);
    const lines = type.members.map((member) => `${inner}${this.#member(member, indent + 1, depth)};\n`);
    return `${head} {\n${lines.join('')}${'\t'.repeat(indent)}}`;
  }

  #member(member: BtfMember, indent: number, depth: number): string {
    const bits = member.bitFieldSize === 0 ? '' : `: ${member.bitFieldSize}`;
    return `${this.#declare(member.typeId, member.name, indent, depth)}${bits}`;
  }

  #spend(typeId: number, depth: number, characterCount: number): void {
    this.#partsLeft--;
    this.#charactersLeft -= characterCount;
    const isSpent = this.#partsLeft < 0 || this.#charactersLeft < 0;
    if (isSpent || depth > MAX_DECLARATION_DEPTH) throw this.#tooDeep(typeId);
  }

  #tooDeep(typeId: number): VespidError {
    return new VespidError(
      'BTF_MALFORMED',
      `${this.#btf.label}: type ${typeId} nests deeper than ${MAX_DECLARATION_DEPTH}, or is too long to be written`,
    );
  }
}

function enumeration(type: BtfEnum, indent: number): string {
  const inner = '\t'.repeat(indent + 1);
  const suffix = type.kind === 'enum' ? '' : type.isSigned ? 'LL' : 'ULL';
  const lines = type.values.map(({ name, value }) => `${inner}${name} = ${value}${suffix},\n`);
  return `${spaced('enum', type.name)} {\n${lines.join('')}${'\t'.repeat(indent)}}`;
}

/** A type that is referred to by name. */
function named(type: BtfType): string {
  switch (type.kind) {
    case 'struct':
    case 'union':
      return `${type.kind} ${type.name}`;
    case 'enum':
    case 'enum64':
      return `enum ${type.name}`;
    case 'forward':
      return `${type.isUnion ? 'union' : 'struct'} ${type.name}`;
    case 'void':
      return 'void';
    default:
      return 'name' in type ? type.name : '';
  }
}

function storageClass(linkage: number): string {
  if (linkage === VARIABLE_LINKAGE.static) return 'static ';
  return linkage === VARIABLE_LINKAGE.extern ? 'extern ' : '';
}

function spaced(left: string, right: string): string {
  return right === '' || right.startsWith('[') ? `${left}${right}` : `${left} ${right}`;
}
