import type { VespidError } from '../../engine/errors/index.js';
import { type FieldDefinition, findField, type HookDefinition } from '../../lsm-hooks/index.js';
import { parseCel } from './cel.js';
import type { Condition } from './condition.js';
import { ALWAYS, allOf, anyOf, NEVER, negate } from './condition-builders.js';
import { type ConditionSource, plainSource, type TextRange } from './condition-source.js';
import type { Expression, Literal, OrderOperator } from './expression.js';
import { addressInRange, equalsOneOf, orderTest, stringTest } from './lower-test.js';

export const SUPPORTED_FORMS =
  'a condition is made of field == constant (!=, <, <=, >, >=), field in [constants], ' +
  'field.startsWith("text") (endsWith, contains), cidr("10.0.0.0/8").containsIP(field), ' +
  'bool fields, &&, ||, !, ?: and parentheses';

/**
 * Parses, checks and lowers a condition that stands by itself, over the fields of a hook.
 *
 * @throws VespidError POLICY_CEL_SYNTAX, POLICY_CEL_TYPE, POLICY_UNKNOWN_FIELD, POLICY_CONDITION_UNSUPPORTED,
 * POLICY_CONSTANT_INVALID, POLICY_LIMIT
 */
export function parseCondition(text: string, hook: HookDefinition, file = '<condition>'): Condition {
  return lowerCondition(plainSource(text, file), hook);
}

/** As {@link parseCondition}, for a condition inside a policy file. */
export function lowerCondition(source: ConditionSource, hook: HookDefinition): Condition {
  refuseSwallowingComment(source);
  return new Lowering(source, hook).bool(parseCel(source, hook));
}

const STRING_OR_COMMENT =
  /"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/.*/g;

/** A comment runs to the end of its line. Where YAML has joined the lines, that is the rest of the condition. */
function refuseSwallowingComment(source: ConditionSource): void {
  if (!source.linesAreFolded) return;
  for (const match of source.text.matchAll(STRING_OR_COMMENT)) {
    if (!match[0].startsWith('//')) continue;
    throw source.errorAt(
      'POLICY_CONDITION_UNSUPPORTED',
      { start: match.index, end: match.index + 2 },
      'YAML joins the lines of this text, so the comment would swallow the lines after it',
      'write the condition as a literal block (when: |) or leave the comment out',
    );
  }
}

/** Expression → Condition. One instance per condition. */
class Lowering {
  readonly #source: ConditionSource;
  readonly #hook: HookDefinition;

  constructor(source: ConditionSource, hook: HookDefinition) {
    this.#source = source;
    this.#hook = hook;
  }

  /** An expression that stands where a truth value is expected. */
  bool(expression: Expression): Condition {
    switch (expression.kind) {
      case 'literal':
        if (expression.literal.type !== 'bool') throw this.#unsupported(expression, 'a constant');
        return expression.literal.value ? ALWAYS : NEVER;
      case 'field':
        return { kind: 'bool', field: expression.name };
      case 'and':
        return allOf(expression.terms.map((term) => this.bool(term)));
      case 'or':
        return anyOf(expression.terms.map((term) => this.bool(term)));
      case 'not':
        return negate(this.bool(expression.term));
      case 'conditional':
        return this.#conditional(expression);
      case 'equality':
        return this.#equality(expression);
      case 'order':
        return this.#order(expression);
      case 'membership':
        return this.#membership(expression);
      case 'call':
        return this.#call(expression);
      case 'list':
        throw this.#unsupported(expression, 'a list by itself');
      case 'other':
        throw this.#unsupported(expression, expression.what);
    }
  }

  #unsupported(range: TextRange, what: string, hint = SUPPORTED_FORMS): VespidError {
    const message = `${what} cannot stand in a condition that the kernel evaluates`;
    return this.#source.errorAt('POLICY_CONDITION_UNSUPPORTED', range, message, hint);
  }

  #fault(range: TextRange): (message: string, hint?: string) => VespidError {
    return (message, hint) => this.#source.errorAt('POLICY_CONSTANT_INVALID', range, message, hint);
  }

  /** `c ? a : b` is `c && a || !c && b`. It doubles `c`, so `c` may not hold another one: growth stays linear. */
  #conditional(expression: Extract<Expression, { kind: 'conditional' }>): Condition {
    const inner = findConditional(expression.test);
    if (inner !== undefined) {
      throw this.#unsupported(inner, '?: inside the test of another ?:', 'write the test with && and ||');
    }
    const test = this.bool(expression.test);
    return anyOf([
      allOf([test, this.bool(expression.whenTrue)]),
      allOf([negate(test), this.bool(expression.whenFalse)]),
    ]);
  }

  #field(expression: Expression & { kind: 'field' }): FieldDefinition {
    const field = findField(this.#hook, expression.name);
    if (field === undefined) throw this.#unsupported(expression, expression.name);
    return field;
  }

  #equality(expression: Extract<Expression, { kind: 'equality' }>): Condition {
    const { field, constant } = this.#comparison(expression, expression.left, expression.right);
    const test = equalsOneOf(field, [constant.literal], () => this.#fault(constant));
    return expression.operator === '==' ? test : negate(test);
  }

  #order(expression: Extract<Expression, { kind: 'order' }>): Condition {
    const { field, constant, isFlipped } = this.#comparison(expression, expression.left, expression.right);
    if (field.type.kind !== 'int' || constant.literal.type !== 'int') {
      throw this.#unsupported(
        expression,
        `${expression.operator} on ${field.name} and ${describe(constant.literal)}`,
        'order comparisons take an int field and an int constant',
      );
    }
    const operator = isFlipped ? FLIPPED[expression.operator] : expression.operator;
    return orderTest(field, operator, constant.literal.value, this.#fault(constant));
  }

  /** The field and the constant of a comparison, whichever side they stand on. */
  #comparison(whole: TextRange, left: Expression, right: Expression) {
    const operands = [left, right];
    for (const operand of operands) {
      if (operand.kind === 'other') throw this.#unsupported(operand, operand.what);
    }
    const isFlipped = left.kind === 'literal';
    const field = isFlipped ? right : left;
    const constant = isFlipped ? left : right;
    if (field.kind === 'field' && constant.kind === 'literal') {
      return { field: this.#field(field), constant, isFlipped };
    }
    throw this.#unsupported(whole, ...explainComparison(operands));
  }

  #membership(expression: Extract<Expression, { kind: 'membership' }>): Condition {
    const { item, set } = expression;
    if (item.kind === 'other') throw this.#unsupported(item, item.what);
    if (item.kind !== 'field' || set.kind !== 'list') {
      throw this.#unsupported(
        expression,
        '"in" without a field on its left and a list of constants on its right',
      );
    }
    const constants = set.items.map((element) => {
      if (element.kind === 'literal') return element;
      throw this.#unsupported(element, 'anything but a constant in a list');
    });
    return equalsOneOf(
      this.#field(item),
      constants.map((constant) => constant.literal),
      (index) => this.#fault(constants[index] ?? set),
    );
  }

  #call(expression: Extract<Expression, { kind: 'call' }>): Condition {
    const { name, receiver } = expression;
    const argument = expression.args[0];
    if (name === 'containsIP' && receiver?.kind === 'call' && argument?.kind === 'field') {
      const block = receiver.args[0];
      if (block?.kind !== 'literal')
        throw this.#unsupported(receiver, 'cidr() of anything but a constant text');
      return this.#addressRange(expression, block, this.#field(argument));
    }
    if (receiver?.kind !== 'field' || argument?.kind !== 'literal') {
      const what = `${name}() of anything but ${name === 'containsIP' ? 'a field' : 'a field and a constant'}`;
      throw this.#unsupported(expression, what);
    }
    const field = this.#field(receiver);
    if (field.type.kind !== 'string') {
      throw this.#unsupported(
        expression,
        `${name}() on ${field.name}, which is not a text field,`,
        field.type.kind === 'ip'
          ? `write cidr("10.0.0.0/8").containsIP(${field.name})`
          : `compare it with == or in`,
      );
    }
    return stringTest(field, name, argument.literal, this.#fault(argument));
  }

  #addressRange(
    whole: TextRange,
    block: Expression & { kind: 'literal' },
    field: FieldDefinition,
  ): Condition {
    if (field.type.kind !== 'ip') {
      throw this.#unsupported(whole, `containsIP(${field.name}), which is not an address,`);
    }
    return addressInRange(field, block.literal, this.#fault(block));
  }
}

const FLIPPED = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const satisfies Record<
  OrderOperator,
  string
>;

function describe(literal: Literal): string {
  return literal.type === 'other' ? literal.name : `a constant of type ${literal.type}`;
}

/** What is wrong with a comparison that is not of one field with one constant, and what to write instead. */
function explainComparison(operands: readonly Expression[]): [what: string, hint?: string] {
  const kinds = operands.map((operand) => operand.kind);
  if (kinds.every((kind) => kind === 'field')) {
    return ['a comparison of two fields', 'compare each field with a constant'];
  }
  if (kinds.every((kind) => kind === 'literal')) {
    return ['a comparison of two constants', 'write true or false'];
  }
  return [
    'a comparison of anything but a field and a constant',
    'instead of (a) == true write a, instead of (a) == false write !(a)',
  ];
}

/** The first `?:` in an expression. */
function findConditional(expression: Expression): Expression | undefined {
  switch (expression.kind) {
    case 'conditional':
      return expression;
    case 'not':
      return findConditional(expression.term);
    case 'and':
    case 'or':
      for (const term of expression.terms) {
        const found = findConditional(term);
        if (found !== undefined) return found;
      }
      return undefined;
    default:
      return undefined;
  }
}
