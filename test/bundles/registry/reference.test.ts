import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { formatReference, parseReference } from '../../../engine/bundles/registry/reference.js';
import { expectRefusal } from '../../signing/sample-bundle.js';

const HEX = 'a'.repeat(64);

describe('parseReference', () => {
  test.each([
    ['registry.example/sensors:1.4.0', { registry: 'registry.example', repository: 'sensors', tag: '1.4.0' }],
    ['localhost/sensors', { registry: 'localhost', repository: 'sensors' }],
    ['localhost:5000/a/b/c:x', { registry: 'localhost:5000', repository: 'a/b/c', tag: 'x' }],
    ['127.0.0.1:5000/a__b/c-d.e:x', { registry: '127.0.0.1:5000', repository: 'a__b/c-d.e', tag: 'x' }],
    ['[::1]:5000/a:x', { registry: '[::1]:5000', repository: 'a', tag: 'x' }],
    ['Registry.Example/a:X', { registry: 'registry.example', repository: 'a', tag: 'X' }],
    [`r.example/a@sha256:${HEX}`, { registry: 'r.example', repository: 'a', digest: `sha256:${HEX}` }],
    [`r.example/a:1@sha256:${HEX}`, { repository: 'a', tag: '1', digest: `sha256:${HEX}` }],
    ['oci://r.example/a:1', { registry: 'r.example', repository: 'a', tag: '1' }],
  ])('reads %s', (text, expected) => {
    expect(parseReference(text)).toMatchObject(expected);
  });

  test.each([
    ['nothing', ''],
    ['no registry', 'sensors:1'],
    ['a registry that is a word', 'team/sensors:1'],
    ['no repository', 'registry.example/'],
    ['a directory', './starter.bundle'],
    ['an absolute path', '/var/lib/starter.bundle'],
    ['a parent directory in the repository', 'r.example/../a:1'],
    ['an empty component', 'r.example/a//b:1'],
    ['upper case in the repository', 'r.example/Team:1'],
    ['a query', 'r.example/a?x=1:1'],
    ['a fragment', 'r.example/a#b:1'],
    ['user information', `user:secret@r.example/a:1`],
    ['another scheme', 'https://r.example/a:1'],
    ['an empty tag', 'r.example/a:'],
    ['a tag that starts with a dot', 'r.example/a:.1'],
    ['a long tag', `r.example/a:${'x'.repeat(129)}`],
    ['another digest algorithm', `r.example/a@sha512:${HEX}`],
    ['a short digest', 'r.example/a@sha256:abc'],
    ['upper case in the digest', `r.example/a@sha256:${'A'.repeat(64)}`],
    ['two digests', `r.example/a@sha256:${HEX}@sha256:${HEX}`],
    ['port 0', 'r.example:0/a:1'],
    ['a port that is none', 'r.example:65536/a:1'],
    ['a space', 'r.example/a b:1'],
    ['a line feed', 'r.example/a:1\n'],
    ['a long name', `r.example/${'a/'.repeat(130)}a:1`],
    ['a very long name', 'r.example/'.padEnd(10_000, 'a')],
  ])('refuses %s', (_name, text) => {
    expectRefusal('REGISTRY_REFERENCE_INVALID', () => parseReference(text));
  });

  it('reads back what formatReference writes', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const reference = fc.record({
      registry: fc.oneof(
        word.map((name) => `${name}.example`),
        word.map((name) => `${name}:5000`),
      ),
      repository: fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
      tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: undefined }),
      digest: fc.option(fc.stringMatching(/^sha256:[0-9a-f]{64}$/), { nil: undefined }),
    });
    fc.assert(
      fc.property(reference, (value) => {
        expect(parseReference(formatReference(value))).toEqual(value);
      }),
    );
  });

  it('gives a documented error for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseReference(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'REGISTRY_REFERENCE_INVALID' });
        }
      }),
    );
  });
});
