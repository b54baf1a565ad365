import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBtfExt } from '../../../engine/bytecode/btf/btf-ext.js';
import { readElf } from '../../../engine/bytecode/elf/elf-reader.js';
import {
  Btf,
  BtfBuilder,
  byteSizeOf,
  CORE_KINDS,
  CoreResolver,
  formatType,
  skipModifiers,
} from '../../../engine/bytecode/index.js';
import { btfOf, int } from '../core/written-types.js';
import { expectCode, expectDocumented } from '../documented-errors.js';
import { compileWithClang, missingTool } from '../external-tools.js';
import { mutatedBytes } from '../mutated-bytes.js';

/** Everything that a BTF can be asked, for every type of it. */
function askEverything(btf: Btf): void {
  const target = { vmlinux: btf, modules: () => [] };
  const resolver = new CoreResolver(btf, target);
  for (let typeId = 0; typeId < btf.typeCount; typeId++) {
    expectDocumented(() => btf.type(typeId));
    expectDocumented(() => skipModifiers(btf, typeId));
    expectDocumented(() => byteSizeOf(btf, typeId));
    expectDocumented(() => formatType(btf, typeId));
    expectDocumented(() => btf.idsByName(btf.nameOf(typeId)));
    const kind = CORE_KINDS[typeId % CORE_KINDS.length] ?? 'type-matches';
    const access = kind.startsWith('field-') ? '0:0' : '0';
    expectDocumented(() => resolver.resolve({ kind, typeId, access }));
  }
  expectDocumented(() => BtfBuilder.from(btf).build());
}

const noClang = missingTool('clang');

describe.skipIf(noClang)(`damaged BTF of clang's${noClang === undefined ? '' : ` (${noClang})`}`, () => {
  const elf = noClang === undefined ? readElf(compileWithClang(), 'every-feature.bpf.o') : undefined;
  const sectionOf = (name: string): Uint8Array =>
    elf?.sections.find((section) => section.name === name)?.bytes ?? new Uint8Array(64);

  test('fails only in documented ways', () => {
    fc.assert(
      fc.property(mutatedBytes(sectionOf('.BTF')), (bytes) => {
        expectDocumented(() => askEverything(new Btf(bytes, 'fuzz')));
      }),
      { numRuns: 60 },
    );
  });

  test('fails only in documented ways as the base of a split BTF', () => {
    fc.assert(
      fc.property(mutatedBytes(sectionOf('.BTF')), (bytes) => {
        expectDocumented(() => askEverything(new Btf(sectionOf('.BTF'), 'fuzz', new Btf(bytes, 'base'))));
      }),
      { numRuns: 20 },
    );
  });

  test('fails only in documented ways in .BTF.ext', () => {
    const btf = new Btf(sectionOf('.BTF'), 'BTF');
    fc.assert(
      fc.property(mutatedBytes(sectionOf('.BTF.ext')), (bytes) =>
        expectDocumented(() => readBtfExt(bytes, btf, 'fuzz')),
      ),
      { numRuns: 1000 },
    );
  });
});

describe('random bytes after a header', () => {
  test('fail only in documented ways', () => {
    const header = fc.uint8Array({ maxLength: 200 }).map((body) => {
      const bytes = new Uint8Array(24 + body.byteLength);
      const view = new DataView(bytes.buffer);
      const typeBytes = body.byteLength & 0xfc;
      view.setUint16(0, 0xeb9f, true);
      view.setUint8(2, 1);
      for (const [index, word] of [24, 0, typeBytes, typeBytes, body.byteLength - typeBytes].entries()) {
        view.setUint32(4 + index * 4, word, true);
      }
      bytes.set(body, 24);
      return bytes;
    });
    fc.assert(
      fc.property(header, (bytes) => expectDocumented(() => askEverything(new Btf(bytes, 'fuzz')))),
      { numRuns: 1000 },
    );
  });
});

test('strings that overlap cannot fill the memory', () => {
  // One string of 64 KB, and 65,000 members each of which is called by another end of it.
  const members = Array.from({ length: 65_000 }, () => ({
    name: '',
    typeId: 1,
    bitOffset: 0,
    bitFieldSize: 0,
  }));
  const btf = btfOf('overlapping', [
    int('n'.repeat(65_536), 4),
    { kind: 'struct', name: 's', byteSize: 4, members },
  ]);
  const bytes = btf.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < members.length; index++) {
    view.setUint32(btf.byteOffsetOf(2) + 12 + index * 12, 1 + index, true);
  }
  expectCode('BTF_MALFORMED', () => new Btf(bytes, 'overlapping').type(2), /strings of over/);
  expect(bytes.byteLength).toBeLessThan(1_000_000);
});
