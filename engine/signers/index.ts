export { type KeyFile, openKeyFile } from './key-file.js';
