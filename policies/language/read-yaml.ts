import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  type YAMLError,
} from 'yaml';
import { locate, VespidError } from '../../engine/errors/index.js';
import { MAX_FILE_BYTES, MAX_POLICIES_PER_FILE, MAX_YAML_DEPTH, MAX_YAML_NODES } from './limits.js';
import { PolicyDocument } from './policy-document.js';
import { policyError } from './policy-error.js';

const CONDITION_HINT =
  'a condition that YAML would read otherwise ("!" first, ": " or " #" in it) goes into a block: when: |';

/**
 * Reads the YAML documents of a policy file; empty ones are left out.
 *
 * @throws VespidError POLICY_LIMIT, POLICY_YAML_SYNTAX
 */
export function readYaml(text: string, file: string): PolicyDocument[] {
  const byteLength = Buffer.byteLength(text);
  if (byteLength > MAX_FILE_BYTES) {
    throw new VespidError(
      'POLICY_LIMIT',
      `${file} has ${byteLength} bytes; at most ${MAX_FILE_BYTES} are read`,
      {
        hint: 'split the policies into several files',
      },
    );
  }
  return composeDocuments(text, file).map((document) => new DocumentReader(document, text, file).read());
}

/** Composes one document after the other and stops at the first fault. */
function composeDocuments(text: string, file: string): Document.Parsed[] {
  // Duplicate keys are found by DocumentReader: the library compares each key with each other one.
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    strict: true,
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
  });
  const documents: Document.Parsed[] = [];
  try {
    for (const document of composer.compose(new Parser().parse(text), true, text.length)) {
      refuseFaults(document, text, file);
      if (isEmpty(document)) continue;
      documents.push(document);
      if (documents.length > MAX_POLICIES_PER_FILE) throw tooMany(document, text, file);
    }
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(file, error);
    throw error;
  }
  return documents;
}

/** Nothing stands between two `---`, as many tools leave it. */
function isEmpty(document: Document.Parsed): boolean {
  const { contents } = document;
  return contents === null || (isScalar(contents) && contents.value === null && contents.source === '');
}

function tooMany(document: Document.Parsed, text: string, file: string): VespidError {
  const message = `more than ${MAX_POLICIES_PER_FILE} policies in one file`;
  return policyError('POLICY_LIMIT', locate(file, text, document.range[0]), message, {
    hint: 'split the policies into several files',
  });
}

function tooDeep(file: string, cause?: unknown): VespidError {
  return new VespidError('POLICY_LIMIT', `${file} nests deeper than ${MAX_YAML_DEPTH} levels`, { cause });
}

/** Warnings count as errors: they are unknown tags and ambiguous aliases, which the library would ignore. */
function refuseFaults(document: Document.Parsed, text: string, file: string): void {
  const fault: YAMLError | undefined = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    if (fault.code === 'RESOURCE_EXHAUSTION') throw tooDeep(file, fault);
    const location = locate(file, text, fault.pos[0], fault.pos[1]);
    const isInCondition = /\bwhen:/.test(location.excerpt ?? '') || fault.code === 'TAG_RESOLVE_FAILED';
    throw policyError('POLICY_YAML_SYNTAX', location, `not valid YAML: ${fault.message}`, {
      cause: fault,
      hint: isInCondition ? CONDITION_HINT : undefined,
    });
  }
  const version = document.directives.yaml.version;
  if (version !== '1.2') {
    const message = `YAML 1.2 expected; a directive asks for ${version}`;
    throw policyError('POLICY_YAML_SYNTAX', locate(file, text, 0), message, {
      hint: 'remove the %YAML directive',
    });
  }
}

/** Turns one document's nodes into plain values, and keeps where each alias leads. */
class DocumentReader {
  readonly #document: Document.Parsed;
  readonly #text: string;
  readonly #file: string;
  readonly #anchors = new Map<string, Node>();
  readonly #aliasTargets = new Map<Alias, Node>();
  #nodeCount = 0;

  constructor(document: Document.Parsed, text: string, file: string) {
    this.#document = document;
    this.#text = text;
    this.#file = file;
  }

  read(): PolicyDocument {
    const root = this.#document.contents;
    const value = this.#plain(root, 0);
    return new PolicyDocument({
      value,
      root,
      aliasTargets: this.#aliasTargets,
      text: this.#text,
      file: this.#file,
    });
  }

  #error(code: 'POLICY_LIMIT' | 'POLICY_YAML_SYNTAX', node: Node | null, message: string): VespidError {
    const range = node?.range ?? [0, 1];
    return policyError(code, locate(this.#file, this.#text, range[0], range[1]), message);
  }

  #plain(node: Node | null, depth: number): unknown {
    if (++this.#nodeCount > MAX_YAML_NODES) {
      throw this.#error('POLICY_LIMIT', node, `more than ${MAX_YAML_NODES} values, aliases expanded`);
    }
    if (depth > MAX_YAML_DEPTH) {
      throw this.#error('POLICY_LIMIT', node, `nested deeper than ${MAX_YAML_DEPTH} levels`);
    }
    if (isAlias(node)) return this.#plain(this.#resolve(node), depth + 1);
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isMap<Scalar<string>, Node | null>(node)) return this.#plainMap(node.items, depth);
    if (isSeq<Node | null>(node)) return node.items.map((item) => this.#plain(item, depth + 1));
    return isScalar(node) ? node.value : null;
  }

  #plainMap(pairs: readonly Pair<Scalar<string>, Node | null>[], depth: number): Record<string, unknown> {
    // No prototype: a key such as "__proto__" is a key like any other.
    const result: Record<string, unknown> = Object.create(null);
    for (const { key, value } of pairs) {
      if (Object.hasOwn(result, key.value)) {
        throw this.#error('POLICY_YAML_SYNTAX', key, `the key "${key.value}" stands twice in one mapping`);
      }
      result[key.value] = this.#plain(value, depth + 1);
    }
    return result;
  }

  /** An anchor is known from where it stands on, so an alias inside its own anchor ends at the depth limit. */
  #resolve(alias: Alias): Node {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      throw this.#error('POLICY_YAML_SYNTAX', alias, `no anchor &${alias.source} stands before this alias`);
    }
    this.#aliasTargets.set(alias, target);
    return target;
  }
}
