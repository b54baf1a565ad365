import { type ASTNode, Environment, ParseError, TypeError as TypeCheckError } from '@marcbachmann/cel-js';
import { suggestName, VespidError } from '../../engine/errors/index.js';
import { type FieldDefinition, findField, type HookDefinition, POLICY_HOOKS } from '../../lsm-hooks/index.js';
import type { ConditionSource, TextRange } from './condition-source.js';
import type { Expression, Literal } from './expression.js';
import { MAX_CONDITION_DEPTH, MAX_CONDITION_LENGTH, MAX_CONDITION_NODES, MAX_LIST_LENGTH } from './limits.js';

// The only file that knows the types of the CEL parser.

/** `cidr("10.0.0.0/8")`, as in the Kubernetes CEL library. Never evaluated here: it gives the function a type. */
class Cidr {}

/** What a field schema is to the CEL library: nested objects with type names as leaves. */
interface FieldSchema {
  [name: string]: string | FieldSchema;
}

/** Can stand in a condition. */
export function isConditionField(field: FieldDefinition): boolean {
  return field.eventOnly !== true && field.type.kind !== 'bytes';
}

function celType(field: FieldDefinition): 'string' | 'int' | 'bool' {
  switch (field.type.kind) {
    case 'int':
      return 'int';
    case 'bool':
      return 'bool';
    default:
      return 'string';
  }
}

function fieldSchema(hook: HookDefinition): FieldSchema {
  const root: FieldSchema = {};
  for (const field of hook.fields.filter(isConditionField)) {
    const steps = field.name.split('.');
    const leaf = steps.pop() ?? field.name;
    let level = root;
    for (const step of steps) {
      const next = level[step] ?? {};
      level[step] = next;
      if (typeof next === 'string') {
        throw new VespidError('INTERNAL', `${field.name}: ${step} is a field and a group of fields`);
      }
      level = next;
    }
    level[leaf] = celType(field);
  }
  return root;
}

const environments = new WeakMap<HookDefinition, Environment>();

/** Only the hook's fields exist, and `cidr()` besides CEL's standard functions. */
function environmentFor(hook: HookDefinition): Environment {
  let environment = environments.get(hook);
  if (environment !== undefined) return environment;
  environment = new Environment({
    limits: {
      maxAstNodes: MAX_CONDITION_NODES,
      maxDepth: MAX_CONDITION_DEPTH,
      maxListElements: MAX_LIST_LENGTH,
    },
  });
  environment.registerType('CIDR', { ctor: Cidr, fields: {} });
  environment.registerFunction('cidr(string): CIDR', () => new Cidr());
  environment.registerFunction('CIDR.containsIP(string): bool', () => false);
  for (const [name, schema] of Object.entries(fieldSchema(hook))) {
    environment.registerVariable(name, typeof schema === 'string' ? { type: schema } : { schema });
  }
  environments.set(hook, environment);
  return environment;
}

/**
 * Parses and type-checks a condition over the fields of a hook.
 *
 * @throws VespidError POLICY_CEL_SYNTAX, POLICY_CEL_TYPE, POLICY_UNKNOWN_FIELD, POLICY_LIMIT
 */
export function parseCel(source: ConditionSource, hook: HookDefinition): Expression {
  const { text } = source;
  const whole = { start: 0, end: text.length };
  if (text.length > MAX_CONDITION_LENGTH) {
    const message = `the condition has ${text.length} characters; at most ${MAX_CONDITION_LENGTH} are read`;
    throw source.errorAt('POLICY_LIMIT', { start: 0, end: 1 }, message, 'split it into several rules');
  }
  try {
    const parsed = environmentFor(hook).parse(text);
    const result = parsed.check();
    if (!result.valid) throw result.error;
    if (result.type !== 'bool') {
      const message = `the condition must be true or false (bool), but it is of type ${plainTypes(result.type ?? '?')}`;
      throw source.errorAt('POLICY_CEL_TYPE', whole, message);
    }
    return translate(parsed.ast, hook);
  } catch (error) {
    if (error instanceof ParseError) throw syntaxError(source, error);
    if (error instanceof TypeCheckError) throw typeError(source, hook, error);
    // Thousands of unary operators in a row: the parser has no limit for them and recurses.
    if (error instanceof RangeError) {
      throw source.errorAt('POLICY_LIMIT', { start: 0, end: 1 }, 'the condition nests too deeply');
    }
    throw error;
  }
}

/** The library names the types of field groups `$process`. */
function plainTypes(text: string): string {
  return text.replaceAll('$', '');
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

const WORD_OPERATORS: Readonly<Record<string, string>> = {
  and: '&&',
  or: '||',
  not: '!',
  AND: '&&',
  OR: '||',
  NOT: '!',
};
const CHARACTER_OPERATORS: Readonly<Record<string, string>> = { '=': '==', '&': '&&', '|': '||' };

function syntaxError(source: ConditionSource, error: ParseError): VespidError {
  const range = error.range ?? { start: 0, end: source.text.length };
  if (error.code === 'limit_exceeded') {
    const message = `the condition is too large: ${lowerFirst(error.summary)}`;
    return source.errorAt('POLICY_LIMIT', range, message, 'split it into several rules');
  }
  const word = /^\w+/.exec(source.text.slice(range.start))?.[0];
  const operator =
    word === undefined ? CHARACTER_OPERATORS[source.text[range.start] ?? ''] : WORD_OPERATORS[word];
  const summary = lowerFirst(error.summary).replace(/\bEOF\b/, 'the end of the condition');
  return source.errorAt(
    'POLICY_CEL_SYNTAX',
    range,
    `not a CEL expression: ${summary}`,
    operator === undefined ? undefined : `write ${operator}`,
  );
}

function typeError(source: ConditionSource, hook: HookDefinition, error: TypeCheckError): VespidError {
  const range = error.range ?? { start: 0, end: source.text.length };
  if (error.code === 'unknown_variable' || error.code === 'no_such_key') {
    return unknownField(source, hook, error.node?.start ?? range.start);
  }
  const summary = plainTypes(lowerFirst(error.summary)).replace(/^no such overload:/, 'there is no');
  const place = error.code === 'invalid_logical_operand' ? badOperand(source, hook, error.node) : undefined;
  return source.errorAt('POLICY_CEL_TYPE', place ?? range, `the types do not fit: ${summary}`);
}

/** The library marks the whole of `a && b`; this finds the operand that is not a truth value. */
function badOperand(source: ConditionSource, hook: HookDefinition, node?: ASTNode): TextRange | undefined {
  if (node?.op !== '&&' && node?.op !== '||') return undefined;
  return node.args.find((operand) => {
    const result = environmentFor(hook).check(source.text.slice(operand.start, operand.end));
    return result.valid && result.type !== 'bool';
  });
}

/** `start` is where the dotted name starts; a method's name at its end is not part of it. */
function unknownField(source: ConditionSource, hook: HookDefinition, start: number): VespidError {
  const rest = source.text.slice(start);
  const written = /^[A-Za-z_]\w*(\s*\.\s*[A-Za-z_]\w*(?!\w*\s*\())*/.exec(rest)?.[0] ?? '';
  const range: TextRange = { start, end: start + Math.max(1, written.length) };
  const name = written.replaceAll(/\s/g, '');
  const eventOnly = findField(hook, name);
  if (eventOnly !== undefined) {
    const message = `${name} appears in events, but cannot stand in a condition`;
    return source.errorAt('POLICY_CONDITION_UNSUPPORTED', range, message);
  }
  const elsewhere = [...POLICY_HOOKS.values()].filter((other) => findField(other, name) !== undefined);
  const names = hook.fields.filter(isConditionField).map((field) => field.name);
  return source.errorAt(
    'POLICY_UNKNOWN_FIELD',
    range,
    `${hook.name} has no field ${name}`,
    elsewhere.length > 0
      ? `${name} is a field of ${elsewhere.map((other) => other.name).join(', ')}`
      : suggestName(name, names),
  );
}

function translate(node: ASTNode, hook: HookDefinition): Expression {
  const range: TextRange = { start: node.start, end: node.end };
  const sub = (child: ASTNode): Expression => translate(child, hook);
  switch (node.op) {
    case 'value':
      if (hasAmbiguousQuote(node)) {
        return { ...range, kind: 'other', what: 'a raw string with a backslash before a quote' };
      }
      return { ...range, kind: 'literal', literal: literalOf(node.args) };
    case 'id':
    case '.':
      return translateName(node, hook);
    case 'list':
      return { ...range, kind: 'list', items: node.args.map(sub) };
    case '&&':
      return { ...range, kind: 'and', terms: chainOf(node, '&&').map(sub) };
    case '||':
      return { ...range, kind: 'or', terms: chainOf(node, '||').map(sub) };
    case '!_':
    case '-_':
      return translateUnary(node, hook);
    case '==':
    case '!=':
      return {
        ...range,
        kind: 'equality',
        operator: node.op,
        left: sub(node.args[0]),
        right: sub(node.args[1]),
      };
    case '<':
    case '<=':
    case '>':
    case '>=':
      return {
        ...range,
        kind: 'order',
        operator: node.op,
        left: sub(node.args[0]),
        right: sub(node.args[1]),
      };
    case 'in':
      return { ...range, kind: 'membership', item: sub(node.args[0]), set: sub(node.args[1]) };
    case '?:':
      return {
        ...range,
        kind: 'conditional',
        test: sub(node.args[0]),
        whenTrue: sub(node.args[1]),
        whenFalse: sub(node.args[2]),
      };
    default:
      return translateRest(node, hook);
  }
}

function translateRest(node: ASTNode, hook: HookDefinition): Expression {
  const range: TextRange = { start: node.start, end: node.end };
  switch (node.op) {
    case 'call':
      return callOf(range, node.args[0], undefined, node.args[1], hook);
    case 'rcall':
      return callOf(range, node.args[0], node.args[1], node.args[2], hook);
    case 'map':
      return { ...range, kind: 'other', what: 'a map' };
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return { ...range, kind: 'other', what: `arithmetic (${node.op})` };
    default:
      return { ...range, kind: 'other', what: 'indexing with [ ]' };
  }
}

/** The arguments of a macro are not expressions of their own, so only those that are known are translated. */
function callOf(
  range: TextRange,
  name: string,
  receiver: ASTNode | undefined,
  args: readonly ASTNode[],
  hook: HookDefinition,
): Expression {
  const isKnown = ['startsWith', 'endsWith', 'contains', 'containsIP', 'cidr'].includes(name);
  if (!isKnown) return { ...range, kind: 'other', what: `${name}()` };
  return {
    ...range,
    kind: 'call',
    name,
    receiver: receiver === undefined ? undefined : translate(receiver, hook),
    args: args.map((arg) => translate(arg, hook)),
  };
}

/** The operands of a left-leaning chain, without recursion: a chain may be a thousand terms long. */
function chainOf(node: ASTNode, operator: '&&' | '||'): ASTNode[] {
  const reversed: ASTNode[] = [];
  let current: ASTNode = node;
  while (current.op === operator) {
    reversed.push(current.args[1]);
    current = current.args[0];
  }
  return [...reversed, current].reverse();
}

function translateUnary(node: ASTNode, hook: HookDefinition): Expression {
  const range: TextRange = { start: node.start, end: node.end };
  let current: ASTNode = node;
  let isFlipped = false;
  while (current.op === node.op && (current.op === '!_' || current.op === '-_')) {
    isFlipped = !isFlipped;
    current = current.args;
  }
  const term = translate(current, hook);
  if (!isFlipped) return term;
  if (node.op === '!_') return { ...range, kind: 'not', term };
  if (term.kind === 'literal' && term.literal.type === 'int') {
    return { ...range, kind: 'literal', literal: { type: 'int', value: -term.literal.value } };
  }
  return { ...range, kind: 'other', what: 'arithmetic (-)' };
}

function translateName(node: ASTNode, hook: HookDefinition): Expression {
  const range: TextRange = { start: node.start, end: node.end };
  const steps: string[] = [];
  let current: ASTNode = node;
  while (current.op === '.') {
    steps.unshift(current.args[1]);
    current = current.args[0];
  }
  if (current.op !== 'id') return { ...range, kind: 'other', what: 'a member of a computed value' };
  const name = [current.args, ...steps].join('.');
  if (findField(hook, name) !== undefined) return { ...range, kind: 'field', name };
  return { ...range, kind: 'other', what: `${name}, which is not a field by itself,` };
}

/** In `r"\\""` CEL ends the string at the first quote, this parser at the second: refused, so none is wrong. */
function hasAmbiguousQuote(node: ASTNode): boolean {
  return /^[rR]/.test(node.input.charAt(node.start)) && /\\["']/.test(node.input.slice(node.start, node.end));
}

function literalOf(value: unknown): Literal {
  switch (typeof value) {
    case 'string':
      return { type: 'string', value };
    case 'bigint':
      return { type: 'int', value };
    case 'boolean':
      return { type: 'bool', value };
    case 'number':
      return { type: 'other', name: 'a double' };
    default:
      if (value === null) return { type: 'other', name: 'null' };
      return { type: 'other', name: value instanceof Uint8Array ? 'bytes' : 'a uint' };
  }
}
