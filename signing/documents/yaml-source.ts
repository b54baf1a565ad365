import type { ErrorObject } from 'ajv/dist/2020.js';
import { type Document, isAlias, isMap, isNode, isScalar, parseDocument, visit } from 'yaml';
import { type ErrorCode, locate, type SourceLocation, VespidError } from '../../engine/errors/index.js';

/** Largest trust policy: 256 keys take about 40 KiB. */
const MAX_YAML_CHARACTERS = 256 * 1024;

/** Keys and indexes from the top of a document to a value. */
export type YamlPath = readonly (string | number)[];

/** A parsed YAML text that can say where each of its values stands. */
export class YamlSource {
  readonly #file: string;
  readonly #text: string;
  readonly #document: Document;

  /**
   * Parses one YAML 1.2 document (core schema). Aliases are refused rather than counted: no trust policy needs
   * them, and nested ones grow exponentially ("billion laughs").
   *
   * @throws VespidError TRUST_POLICY_MALFORMED
   */
  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    if (text.length > MAX_YAML_CHARACTERS) {
      throw this.#malformed(`expected at most ${MAX_YAML_CHARACTERS} characters, found ${text.length}`, 0, 1);
    }
    this.#document = this.#parse();
    const [fault] = [...this.#document.errors, ...this.#document.warnings];
    if (fault !== undefined) throw this.#malformed(`not valid YAML: ${fault.message}`, ...fault.pos);
    this.#refuseAliases();
  }

  /** The values, without positions. */
  toValue(): unknown {
    return this.#document.toJS({ maxAliasCount: 0 });
  }

  /** An error that points at the value at `path`, or at the nearest thing around it. */
  fault(
    code: ErrorCode,
    message: string,
    path: YamlPath,
    options: { hint: string; cause?: unknown },
  ): VespidError {
    return new VespidError(code, message, { ...options, location: this.#locateValue(path) });
  }

  /** Where a schema error is: at the key for an unknown field or a bad name, else at the value. */
  locateSchemaError(error: ErrorObject): SourceLocation {
    const path = error.instancePath
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    // ajv documents this parameter of the keyword as a string. A name that is refused is a key, too.
    const unknownField: unknown = error.params['additionalProperty'] ?? error.propertyName;
    return typeof unknownField === 'string' ? this.#locateKey(path, unknownField) : this.#locateValue(path);
  }

  #parse(): Document {
    try {
      return parseDocument(this.#text, {
        schema: 'core',
        stringKeys: true,
        prettyErrors: false,
        logLevel: 'error',
      });
    } catch (cause) {
      // The parser recurses, so brackets nested some thousands deep end in a RangeError.
      throw this.#malformed('expected YAML that can be read, found too deep a nesting', 0, 1, cause);
    }
  }

  #refuseAliases(): void {
    visit(this.#document, {
      Alias: (_key, alias) => {
        const [start, end] = alias.range ?? [0, 1];
        throw this.#malformed('expected no YAML aliases, found one', start, end);
      },
    });
  }

  #locateValue(path: YamlPath): SourceLocation {
    for (let length = path.length; length >= 0; length--) {
      const node = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && !isAlias(node) && node.range) return this.#locateRange(node.range);
    }
    return this.#locateRange([0, 1]);
  }

  #locateKey(path: YamlPath, key: string): SourceLocation {
    const map = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    const pair = isMap(map)
      ? map.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined;
    return isScalar(pair?.key) && pair.key.range
      ? this.#locateRange(pair.key.range)
      : this.#locateValue(path);
  }

  #locateRange([start, end]: readonly [number, number, ...unknown[]]): SourceLocation {
    return locate(this.#file, this.#text, start, end);
  }

  #malformed(message: string, start: number, end: number, cause?: unknown): VespidError {
    return new VespidError('TRUST_POLICY_MALFORMED', message, {
      hint: 'a trust policy is one short YAML document; see the smallest one in README.md',
      location: locate(this.#file, this.#text, start, end),
      cause,
    });
  }
}
