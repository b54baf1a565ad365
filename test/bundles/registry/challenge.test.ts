import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseChallenge } from '../../../engine/bundles/registry/challenge.js';

const bearer = (realm: string, service?: string, scope?: string) => ({
  scheme: 'bearer',
  realm,
  service,
  scope,
});

describe('parseChallenge', () => {
  test.each([
    ['basic', 'Basic realm="test"', { scheme: 'basic' }],
    ['basic without a realm', 'basic', { scheme: 'basic' }],
    [
      'bearer, as registries write it',
      'Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push"',
      bearer('https://auth.example/token', 'r.example', 'repository:a/b:pull,push'),
    ],
    ['spaces and tokens', 'BEARER  realm = "https://a" , service=r', bearer('https://a', 'r')],
    ['an escape', String.raw`Bearer realm="https://a/\"x"`, bearer('https://a/"x')],
    ['both', 'Basic realm="x", Bearer realm="https://a"', bearer('https://a')],
    ['both, the other way round', 'Bearer realm="https://a", Basic realm="x"', bearer('https://a')],
    ['a scheme that we do not know before it', 'Negotiate, Bearer realm="https://a"', bearer('https://a')],
    ['bearer without a realm, beside basic', 'Bearer service="x", Basic realm="y"', { scheme: 'basic' }],
  ])('reads %s', (_name, header, expected) => {
    expect(parseChallenge(header)).toEqual(expected);
  });

  test.each([
    ['nothing', ''],
    ['another scheme', 'Digest realm="x"'],
    ['bearer without a realm', 'Bearer service="x"'],
    ['an unfinished quote', 'Bearer realm="https://a'],
    ['a long header', `Bearer realm="https://${'a'.repeat(5000)}"`],
  ])('finds nothing to answer in %s', (_name, header) => {
    expect(parseChallenge(header)).toBeUndefined();
  });

  it('takes any text, in bounded time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseChallenge(`Bearer ${text}`);
      }),
    );
    const startedAtMs = performance.now();
    for (const unit of ['a', ' ', 'a=', '"', 'a="\\', ',', 'a '])
      parseChallenge(unit.repeat(4096 / unit.length));
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
  });
});
