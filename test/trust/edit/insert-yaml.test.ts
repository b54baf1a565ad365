import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Insertion, insertYaml } from '../../../engine/trust/edit/insert-yaml.js';

const append = (path: string, value: Insertion['value']): Insertion => ({
  kind: 'append',
  path: path.split('.'),
  value,
});
const KEY = { id: 'bob', publicKey: 'bob.pub' };

describe('insertYaml', () => {
  it.each<{ name: string; before: string; insertion: Insertion; after: string }>([
    {
      name: 'appends to a list in block style, in the style of its items',
      before: '# top\nkeys:\n  - id: ci   # the build\n    publicKey: ci.pub\n\n# end\nthreshold: 1\n',
      insertion: append('keys', KEY),
      after:
        '# top\nkeys:\n  - id: ci   # the build\n    publicKey: ci.pub\n  - id: bob\n    publicKey: bob.pub\n\n# end\nthreshold: 1\n',
    },
    {
      name: 'appends one line where the items are one line each',
      before: 'keys:\n- { id: ci, publicKey: ci.pub }   # the build\nthreshold: 1\n',
      insertion: append('keys', KEY),
      after:
        'keys:\n- { id: ci, publicKey: ci.pub }   # the build\n- { id: bob, publicKey: bob.pub }\nthreshold: 1\n',
    },
    {
      name: 'appends to a list in flow style',
      before: "groups: { security: [ 'alice' ] }  # two of them\n",
      insertion: append('groups.security', 'bob'),
      after: "groups: { security: [ 'alice', bob ] }  # two of them\n",
    },
    {
      name: 'appends to a list in flow style on several lines',
      before: 'groups:\n  security: [\n    alice, # one\n    carol, # two\n  ]\n',
      insertion: append('groups.security', 'bob'),
      after: 'groups:\n  security: [\n    alice, # one\n    carol, bob, # two\n  ]\n',
    },
    {
      name: 'makes a list that is missing at the end',
      before: 'threshold: 1 # one',
      insertion: append('revoked.keys', { keyId: 'ab', reason: 'lost: INC-7' }),
      after: 'threshold: 1 # one\nrevoked:\n  keys:\n    - keyId: ab\n      reason: "lost: INC-7"\n',
    },
    {
      name: 'makes a list in a map that is there',
      before: 'revoked:\n    digests:\n      - digest: x\n        reason: y\n# last\n',
      insertion: append('revoked.keys', { keyId: 'ab', reason: 'lost' }),
      after:
        'revoked:\n    digests:\n      - digest: x\n        reason: y\n    keys:\n      - keyId: ab\n        reason: lost\n# last\n',
    },
    {
      name: 'makes a list in a map in flow style',
      before: 'revoked: { digests: [{ digest: x, reason: y }] }\n',
      insertion: append('revoked.keys', { keyId: 'ab', reason: '1.5' }),
      after: 'revoked: { digests: [{ digest: x, reason: y }], keys: [{ keyId: ab, reason: "1.5" }] }\n',
    },
    {
      name: 'goes behind a text of several lines',
      before: 'keys:\n  - id: ci\n    publicKey: |\n      -----BEGIN\n      abc\n\nthreshold: 1\n',
      insertion: append('keys', KEY),
      after:
        'keys:\n  - id: ci\n    publicKey: |\n      -----BEGIN\n      abc\n  - id: bob\n    publicKey: bob.pub\n\nthreshold: 1\n',
    },
    {
      name: 'keeps line ends of Windows',
      before: 'keys:\r\n  - id: ci\r\nthreshold: 1\r\n',
      insertion: append('keys', { id: 'bob' }),
      after: 'keys:\r\n  - id: ci\r\n  - id: bob\r\nthreshold: 1\r\n',
    },
    {
      name: 'stays JSON in JSON',
      before: '{"threshold":1,"keys":[{"id":"ci"}]}',
      insertion: append('keys', KEY),
      after: '{"threshold":1,"keys":[{"id":"ci"}, { "id": "bob", "publicKey": "bob.pub" }]}',
    },
    {
      name: 'sets what is not there',
      before: 'threshold: 1\n',
      insertion: { kind: 'set', path: ['sigstore', 'trustedRoot'], value: 'root.json' },
      after: 'threshold: 1\nsigstore:\n  trustedRoot: root.json\n',
    },
  ])('$name', ({ before, insertion, after }) => {
    expect(insertYaml(before, insertion)).toBe(after);
  });

  it('means what was asked for and keeps every line, however the text is laid out', () => {
    const word = fc.constantFrom('ci', '"quoted"', "'single'", '1.4.0');
    const comment = fc.constantFrom('', ' # why', '   # {not: yaml} - [at all');
    const blank = fc.constantFrom('', '\n', '# between\n', '\n  # deep\n\n');
    const item = fc
      .tuple(word, comment, fc.boolean())
      .map(([id, note, flow]) =>
        flow ? `{ id: ${id},  reason: 'a b' }${note}` : `id: ${id}${note}\n@  reason: a b`,
      );
    const list = fc
      .tuple(fc.array(item, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '  ', '    '), blank)
      .map(([items, indent, between]) =>
        items.map((text) => `${indent}- ${text.replace('@', indent)}\n`).join(between),
      );
    const layout = fc
      .tuple(list, comment, blank, fc.constantFrom('', 'threshold: 1\n', '# end'), fc.boolean())
      .map(([items, note, between, end, endsWithBreak]) => {
        const text = `${between}keys:${note}\n${items}${between}${end}`;
        return endsWithBreak ? text : text.trimEnd();
      });
    const value = fc.record({ id: fc.string({ minLength: 1 }), reason: fc.string() });
    fc.assert(
      fc.property(layout, value, fc.constantFrom('keys', 'revoked.keys', 'groups.a'), (text, entry, path) => {
        const after = insertYaml(text, append(path, entry));
        const [first = '', second] = path.split('.');
        const expected = parse(text);
        if (second === undefined) expected[first].push(entry);
        else expected[first] = { [second]: [entry] };
        expect(parse(after)).toEqual(expected);
        const lines = after.split('\n');
        for (const line of text.trimEnd().split('\n')) expect(lines).toContain(line);
      }),
      { numRuns: 200 },
    );
  });
});
