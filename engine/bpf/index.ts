export * from '../bytecode/index.js';
export * from '../kernel/index.js';
