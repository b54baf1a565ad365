import { describe, expect, test } from 'vitest';
import { readObject } from '../../engine/bytecode/index.js';
import { loadBtf } from '../../engine/kernel/index.js';
import { compileFixture, missingTool } from '../bytecode/external-tools.js';

const missing = process.getuid?.() === 0 ? missingTool('clang-19') : 'not root';

/** The kernel checks sizes, offsets, linkage and names of parameters: what readObject fills in. */
describe.skipIf(missing)(
  `this kernel takes the types of${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    test.each([
      'externs',
      'map-attributes',
      'struct-ops',
      'global-data',
      'arena',
      'functions',
      'lone-functions',
      'every-feature',
    ])('%s.bpf.c', (name) => {
      const { btf } = readObject(compileFixture(name), `${name}.o`);
      if (btf === undefined) throw new Error('compiled without -g');
      using loaded = loadBtf(btf.bytes);
      expect(loaded.fd).toBeGreaterThan(2);
    });
  },
);
