import { describe, expect, test } from 'vitest';
import { parseSectionName } from '../../engine/bytecode/index.js';
import {
  ATTACHABLE_HOOKS,
  EFFECTS,
  HOOKS_BY_ID,
  POLICY_HOOKS,
  PROCESS_FIELDS,
  RECORD_HEADER_BYTES,
  readableFields,
  recordLayout,
  SCRATCH,
  scratchLayout,
} from '../../lsm-hooks/index.js';

describe('the hook catalogue', () => {
  test('has an id of its own for every hook', () => {
    expect([...HOOKS_BY_ID].every(([id, hook]) => hook.id === id)).toBe(true);
    const policyHooks = [...POLICY_HOOKS.values()];
    expect(policyHooks.every((hook) => HOOKS_BY_ID.get(hook.id) === hook)).toBe(true);
    expect(new Set([...HOOKS_BY_ID.values()].map(({ name }) => name)).size).toBe(HOOKS_BY_ID.size);
  });

  test.each([...HOOKS_BY_ID.values()])('$name: fields have two-part names, a doc and an example', (hook) => {
    const names = hook.fields.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, doc, example } of hook.fields) {
      expect(name).toMatch(/^[a-z]+\.[a-z_]+$/);
      expect(doc).not.toBe('');
      expect(example).not.toBe('');
    }
  });

  test.each([...POLICY_HOOKS.values()])(
    '$name: starts with the fields of the process and has five more',
    (hook) => {
      expect(hook.fields.slice(0, PROCESS_FIELDS.length)).toEqual(PROCESS_FIELDS);
      expect(hook.fields.length).toBeGreaterThanOrEqual(PROCESS_FIELDS.length + 4);
    },
  );

  test('field names of one kind only: the same field is the same on every hook', () => {
    const types = new Map<string, string>();
    for (const { fields } of HOOKS_BY_ID.values()) {
      for (const { name, type } of fields) {
        expect(types.get(name) ?? JSON.stringify(type), name).toBe(JSON.stringify(type));
        types.set(name, JSON.stringify(type));
      }
    }
  });
});

const CANDIDATES = [...ATTACHABLE_HOOKS.values()].flatMap((hook) =>
  hook.candidates.map((candidate) => ({
    hook: hook.definition.name,
    id: candidate.id,
    definition: hook.definition,
    candidate,
  })),
);

describe.each(CANDIDATES)('$hook at $id', ({ definition, candidate }) => {
  test('delivers every effect, or names what it delivers instead and why', () => {
    for (const effect of EFFECTS) {
      const weaker = candidate.weaker[effect];
      expect(candidate.effects.includes(effect), effect).toBe(weaker === undefined);
      if (weaker === undefined) continue;
      expect(candidate.effects).toContain(weaker.effect);
      expect(weaker.reason).not.toBe('');
    }
  });

  test('has sections that the loader knows and function names of its own', () => {
    for (const { section } of candidate.points)
      expect(parseSectionName(section).isLoadedByDefault).toBe(true);
    const names = CANDIDATES.flatMap(({ candidate: other }) =>
      other.points.map(({ functionName }) => functionName),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test('reads fields that there are, each with the reader of its type', () => {
    const known = new Map(definition.fields.map(({ name, type }) => [name, type.kind]));
    for (const { readers } of candidate.points) {
      for (const name of Object.keys(readers.strings)) expect(known.get(name), name).toBe('string');
      for (const name of Object.keys(readers.integers))
        expect(['int', 'bool', 'enum'], name).toContain(known.get(name));
      for (const name of Object.keys(readers.memory ?? {}))
        expect(['ip', 'bytes'], name).toContain(known.get(name));
    }
  });

  test('reads at least five fields', () => {
    expect(readableFields(candidate).size).toBeGreaterThanOrEqual(5);
  });
});

test('what the best attach point of a hook can read is every field of it', () => {
  for (const { definition, candidates } of ATTACHABLE_HOOKS.values()) {
    const [best] = candidates;
    const names = best === undefined ? [] : [...readableFields(best)];
    expect(names.sort()).toEqual(definition.fields.map(({ name }) => name).sort());
  }
});

describe('layouts', () => {
  test.each([...HOOKS_BY_ID.values()])('the record of $name has its slots one after the other', (hook) => {
    const { slots, fixedBytes, maxBytes } = recordLayout(hook);
    let next = RECORD_HEADER_BYTES;
    for (const { byteOffset, byteLength } of slots) {
      expect(byteOffset).toBe(next);
      expect(byteLength % 8).toBe(0);
      next += byteLength;
    }
    expect(fixedBytes).toBe(next);
    const strings = hook.fields.reduce(
      (sum, { type }) => sum + (type.kind === 'string' ? type.maxBytes : 0),
      0,
    );
    expect(maxBytes).toBe(fixedBytes + strings);
  });

  test.each([...POLICY_HOOKS.values()])(
    'no part of the working memory of $name lies over another',
    (hook) => {
      const longest = new Map([['process.exe', 4096]]);
      const layout = scratchLayout(hook, longest);
      const parts = [
        { name: 'head', from: 0, to: SCRATCH.strings },
        { name: 'record', from: layout.recordOffset, to: layout.recordOffset + layout.record.maxBytes },
        ...[...layout.strings.values()].flatMap(({ field, stateOffset, bufferOffset, capacity }) => [
          { name: `${field.name} state`, from: stateOffset, to: stateOffset + 16 },
          {
            name: field.name,
            from: bufferOffset,
            to: bufferOffset + capacity + (longest.get(field.name) ?? 0),
          },
        ]),
        { name: 'end', from: layout.byteLength, to: layout.byteLength },
      ].sort((left, right) => left.from - right.from);
      for (const [index, part] of parts.entries()) {
        const next = parts[index + 1];
        if (next !== undefined)
          expect(part.to, `${part.name} before ${next.name}`).toBeLessThanOrEqual(next.from);
        expect(part.from % 8, part.name).toBe(0);
      }
    },
  );
});
