import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';
import { type ErrorCode, locate, type SourceLocation, type VespidError } from '../../engine/errors/index.js';
import { policyError } from './policy-error.js';

/** Keys and indexes from a document's root: `['spec', 'rules', 0, 'when']`. */
export type DocumentPath = readonly (string | number)[];

export interface PolicyDocumentInit {
  readonly value: unknown;
  readonly root: Node | null;
  readonly aliasTargets: ReadonlyMap<Alias, Node>;
  readonly text: string;
  readonly file: string;
}

/** `spec.rules[0].when`, or "the document" for the root. */
export function formatPath(path: DocumentPath): string {
  if (path.length === 0) return 'the document';
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`))
    .join('');
}

/** One YAML document: its plain value, and where in the text each part of it stands. */
export class PolicyDocument {
  readonly value: unknown;
  readonly text: string;
  readonly file: string;
  readonly #root: Node | null;
  readonly #aliasTargets: ReadonlyMap<Alias, Node>;

  constructor(init: PolicyDocumentInit) {
    this.value = init.value;
    this.text = init.text;
    this.file = init.file;
    this.#root = init.root;
    this.#aliasTargets = init.aliasTargets;
  }

  /** The scalar at `path`; an alias leads to the scalar that its anchor marks. */
  scalarAt(path: DocumentPath): Scalar | undefined {
    const node = this.#descend(path);
    return isScalar(node) ? node : undefined;
  }

  /** The location of the value at `path`, or of the nearest value around it. */
  locateValue(path: DocumentPath): SourceLocation {
    for (let length = path.length; length >= 0; length--) {
      const node = this.#descend(path.slice(0, length));
      if (node?.range) return this.#locateNode(node);
    }
    return locate(this.file, this.text, 0);
  }

  /** The location of the key that ends `path`, or of the value there if it is no key of a mapping. */
  locateKey(path: DocumentPath): SourceLocation {
    const parent = this.#descend(path.slice(0, -1));
    const name = path.at(-1);
    if (isMap<Node, Node | null>(parent)) {
      const key = parent.items.find((pair) => isScalar(pair.key) && pair.key.value === name)?.key;
      if (key !== undefined) return this.#locateNode(key);
    }
    return this.locateValue(path);
  }

  /** An error at a location of this document. */
  error(code: ErrorCode, location: SourceLocation, message: string, hint?: string): VespidError {
    return policyError(code, location, message, { hint });
  }

  /** A collection is marked by its first line only: `locate` ends the caret at the line's end. */
  #locateNode(node: Node): SourceLocation {
    const [start, end] = node.range ?? [0, 1];
    return locate(this.file, this.text, start, Math.max(end, start + 1));
  }

  #descend(path: DocumentPath): Node | undefined {
    let node = this.#follow(this.#root);
    for (const step of path) {
      let next: Node | null | undefined;
      if (isMap<Node, Node | null>(node)) {
        next = node.items.find((pair) => isScalar(pair.key) && pair.key.value === step)?.value;
      } else if (isSeq<Node | null>(node) && typeof step === 'number') {
        next = node.items[step];
      }
      node = this.#follow(next ?? null);
      if (node === undefined) return undefined;
    }
    return node;
  }

  #follow(node: Node | null): Node | undefined {
    let current = node;
    while (isAlias(current)) current = this.#aliasTargets.get(current) ?? null;
    return current ?? undefined;
  }
}
