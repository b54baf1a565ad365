export { ATTACK_VERSION, findTechnique, replacementFor, type Technique } from './techniques.js';
