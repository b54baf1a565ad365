export type {
  AssembledFunction,
  ConstantDefinition,
  FieldReference,
  KernelMember,
  KernelMemberType,
  KernelStruct,
  MapDefinition,
  ObjectDefinition,
  SymbolReference,
} from './assembled-function.js';
