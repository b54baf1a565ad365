import fc from 'fast-check';
import type { FieldDefinition, HookDefinition } from '../../lsm-hooks/index.js';

// Random conditions as CEL text and random events over the fields of a hook. Both draw from the same small
// pools, so that a good part of the tests hit.

/** What conditions and events draw from. */
export interface ValuePools {
  readonly texts: (field: FieldDefinition) => readonly string[];
  /** From 0 to 2^63-1. */
  readonly ints: readonly bigint[];
  readonly addresses: readonly string[];
  readonly blocks: readonly string[];
}

const TEXTS = [
  '',
  'a',
  'b',
  'ab',
  '/etc',
  '/etc/shadow',
  'shadow',
  'é',
  '😀',
  '"',
  "it's",
  '\\',
  '//',
  'a b',
  '\t',
];
const INTS = [0n, 1n, 2n, 5n, 443n, 2n ** 32n, 2n ** 63n - 1n];
const ADDRESSES = ['0.0.0.0', '10.0.0.7', '10.255.0.1', '127.0.0.1', '::', '::1', 'fd00::7', '2001:db8::1'];
const BLOCKS = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.0.0.0/9',
  '10.0.0.7/32',
  '::/0',
  'fd00::/8',
  '2001:db8::/33',
  '::1/128',
];

const SMALL_POOLS: ValuePools = { texts: () => TEXTS, ints: INTS, addresses: ADDRESSES, blocks: BLOCKS };

type Atom = fc.Arbitrary<string>;

/** A CEL string literal in one of the forms that CEL has. */
function literalOf(text: string): Atom {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t');
  const forms = [
    `"${escaped.replaceAll('"', '\\"')}"`,
    `'${escaped.replaceAll("'", "\\'")}'`,
    `"${[...text].map((char) => `\\U${char.codePointAt(0)?.toString(16).padStart(8, '0')}`).join('')}"`,
  ];
  if (!/["\\]/.test(text)) forms.push(`r"${text}"`, `"""${text}"""`);
  return fc.constantFrom(...forms);
}

function textLiteral(texts: readonly string[]): Atom {
  return fc.constantFrom(...texts).chain(literalOf);
}

function list(item: Atom): Atom {
  return fc.array(item, { maxLength: 4 }).map((items) => `[${items.join(', ')}]`);
}

/** `field op constant` or `constant op field`. */
function comparison(name: string, operators: readonly string[], constant: Atom): Atom {
  return fc
    .tuple(fc.constantFrom(...operators), constant, fc.boolean())
    .map(([operator, value, isFlipped]) =>
      isFlipped ? `${value} ${operator} ${name}` : `${name} ${operator} ${value}`,
    );
}

function membership(name: string, constant: Atom): Atom {
  return list(constant).map((items) => `${name} in ${items}`);
}

function atomsOf(field: FieldDefinition, pools: ValuePools): Atom[] {
  const { name, type } = field;
  const equality = ['==', '!='];
  switch (type.kind) {
    case 'string': {
      const constant = textLiteral(pools.texts(field));
      const method = fc.constantFrom('startsWith', 'endsWith', 'contains');
      const call = fc.tuple(method, constant).map(([verb, text]) => `${name}.${verb}(${text})`);
      return [comparison(name, equality, constant), membership(name, constant), call];
    }
    case 'int': {
      const constant = fc.constantFrom(...pools.ints, -1n, -(2n ** 63n)).map(String);
      return [comparison(name, [...equality, '<', '<=', '>', '>='], constant), membership(name, constant)];
    }
    case 'bool': {
      const constant = fc.constantFrom('true', 'false');
      return [fc.constant(name), comparison(name, equality, constant), membership(name, constant)];
    }
    case 'ip': {
      const constant = fc.constantFrom(...pools.addresses).map((address) => `"${address}"`);
      const block = fc.constantFrom(...pools.blocks).map((text) => `cidr("${text}").containsIP(${name})`);
      return [comparison(name, equality, constant), membership(name, constant), block];
    }
    case 'enum': {
      const constant = fc.constantFrom(...Object.keys(type.values)).map((value) => `"${value}"`);
      return [comparison(name, equality, constant), membership(name, constant)];
    }
    case 'bytes':
      return [];
  }
}

/** CEL text over the hook's fields, of type bool, in the form that can be lowered. */
export function randomCondition(hook: HookDefinition, pools = SMALL_POOLS): fc.Arbitrary<string> {
  const atom = fc.oneof(
    fc.constantFrom('true', 'false'),
    ...hook.fields.flatMap((field) => atomsOf(field, pools)),
  );
  const { plain, any } = fc.letrec<{ plain: string; any: string }>((tie) => {
    const combined = (self: fc.Arbitrary<string>) => [
      atom,
      fc
        .tuple(self, fc.constantFrom('&&', '||', '\n||', '&& // why\n'), self)
        .map((parts) => parts.join(' ')),
      self.map((term) => `(${term})`),
      self.map((term) => `!(${term})`),
      self.map((term) => `!!(${term})`),
    ];
    const conditional = fc
      .tuple(tie('plain'), tie('any'), tie('any'))
      .map(([test, whenTrue, whenFalse]) => `((${test}) ? (${whenTrue}) : (${whenFalse}))`);
    return {
      plain: fc.oneof({ depthSize: 'small', withCrossShrink: true }, ...combined(tie('plain'))),
      any: fc.oneof({ depthSize: 'small', withCrossShrink: true }, ...combined(tie('any')), conditional),
    };
  });
  return fc.oneof(plain, any);
}

function randomValue(field: FieldDefinition, pools: ValuePools): fc.Arbitrary<unknown> {
  const { type } = field;
  switch (type.kind) {
    case 'string': {
      const text = fc.constantFrom(...pools.texts(field));
      return fc.oneof(
        text,
        fc.tuple(text, text).map((parts) => parts.join('')),
      );
    }
    case 'int':
      return fc.oneof(fc.constantFrom(...pools.ints), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }));
    case 'bool':
      return fc.boolean();
    case 'ip':
      return fc.constantFrom(...pools.addresses);
    case 'enum':
      return fc.constantFrom(...Object.keys(type.values));
    case 'bytes':
      return fc.constant('');
  }
}

/** A value for every field of the hook, by dotted name. */
export function randomEvent(
  hook: HookDefinition,
  pools = SMALL_POOLS,
): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(hook.fields.map((field) => [field.name, randomValue(field, pools)])));
}
