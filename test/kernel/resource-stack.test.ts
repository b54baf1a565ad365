import { describe, expect, test } from 'vitest';
import { ResourceStack } from '../../engine/kernel/index.js';

function recorder() {
  const closed: string[] = [];
  const resource = (name: string) => ({ [Symbol.dispose]: () => void closed.push(name) });
  return { closed, resource };
}

describe('ResourceStack', () => {
  test('closes in reverse order, once', () => {
    const { closed, resource } = recorder();
    const stack = new ResourceStack();
    for (const name of ['map', 'program', 'link']) stack.use(resource(name));
    stack[Symbol.dispose]();
    stack[Symbol.dispose]();
    expect(closed).toEqual(['link', 'program', 'map']);
  });

  test('hands everything on: the old owner closes nothing', () => {
    const { closed, resource } = recorder();
    const stack = new ResourceStack();
    stack.use(resource('map'));
    const owner = stack.move();
    stack[Symbol.dispose]();
    expect(closed).toEqual([]);
    owner[Symbol.dispose]();
    expect(closed).toEqual(['map']);
  });

  test('undoes what came before a failure', () => {
    const { closed, resource } = recorder();
    expect(() => {
      using stack = new ResourceStack();
      stack.use(resource('map'));
      throw new Error('the program was refused');
    }).toThrow('refused');
    expect(closed).toEqual(['map']);
  });

  test('closes what is behind one that fails, and says why that failed', () => {
    const { closed, resource } = recorder();
    const stack = new ResourceStack();
    stack.use(resource('map'));
    stack.use({
      [Symbol.dispose]() {
        throw new Error('it was detached by another');
      },
    });
    stack.use(resource('program'));
    expect(() => stack[Symbol.dispose]()).toThrow('by another');
    expect(closed).toEqual(['program', 'map']);
  });

  test('gives back what it takes over', () => {
    const { resource } = recorder();
    const one = resource('one');
    using stack = new ResourceStack();
    expect(stack.use(one)).toBe(one);
  });
});
