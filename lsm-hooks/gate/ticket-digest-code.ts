import {
  type Assembler,
  type FieldPath,
  type Label,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  R10,
} from '../../engine/bytecode/index.js';
import type { Subprograms } from '../program/frame.js';
import { kernelField } from '../program/kernel-types.js';
import { assembleCompress, INITIAL_STATE, SHA256, SHA256_BLOCK_BYTES } from './sha256-code.js';
import { TICKET_MAGIC, TICKET_OFFSET } from './ticket.js';

/** The digest's part of the working memory: the hash, then the digest itself, then where the instructions are. */
export const DIGEST_OFFSET = SHA256.byteLength;
const SOURCE = DIGEST_OFFSET + 32;
export const DIGEST_AREA = { byteLength: SOURCE + 8 } as const;

/** The padding's length field starts here in the last block (FIPS 180-4 section 5.1.1). */
const LENGTH_AT = 56;

const PROG = (...path: string[]) => kernelField('bpf_prog', ...path);
const AUX = (...path: string[]) => kernelField('bpf_prog_aux', ...path);

/**
 * digest(working memory, struct bpf_prog *): the ticket digest of `ticket.ts` over the kernel's own copy of the
 * program. Returns 0, or -1 when the instructions could not be read.
 */
export function assembleTicketDigest(assembler: Assembler, at: number, subprograms: Subprograms): void {
  const compress = subprograms.require('sha256_compress', (code) => assembleCompress(code, at));
  const step = subprograms.require('sha256_step', (code) => assembleBlockStep(code, at, compress));
  const failed = assembler.label('failed');
  assembler.move(R7, R1).move(R8, R2);
  INITIAL_STATE.forEach((word, index) => {
    assembler.storeImmediate(4, R7, at + SHA256.state + index * 4, word | 0);
  });
  emitFacts(assembler, at + SHA256.block);
  assembler.move(R1, R7).callFunction(compress);
  emitWholeBlocks(assembler, at, step, failed);
  emitPadding(assembler, at, compress, failed);
  emitDigest(assembler, at);
  assembler.moveImmediate(R0, 0).exit().place(failed).moveImmediate(R0, -1).exit();
}

/** Fills the block with the facts of the program in R8. */
function emitFacts(assembler: Assembler, block: number): void {
  emitClearBlock(assembler, block);
  const magic = new DataView(new TextEncoder().encode(TICKET_MAGIC).buffer);
  for (const half of [0, 8]) {
    assembler.loadImmediate64(R1, magic.getBigUint64(half, true)).store(8, R7, block + half, R1);
  }
  const copy = (target: number, field: FieldPath) =>
    assembler.loadField(4, R1, R8, field).store(4, R7, block + target, R1);
  copy(TICKET_OFFSET.programType, PROG('type'));
  copy(TICKET_OFFSET.expectedAttachType, PROG('expected_attach_type'));
  assembler
    .loadBits(R1, R8, PROG('gpl_compatible'))
    .store(4, R7, block + TICKET_OFFSET.gplCompatible, R1)
    .loadField(8, R9, R8, PROG('aux'))
    .loadField(4, R1, R9, AUX('attach_btf_id'))
    .store(4, R7, block + TICKET_OFFSET.attachBtfId, R1);
  const noBtf = assembler.label('no attach BTF');
  const noTarget = assembler.label('no target program');
  assembler
    .loadField(8, R1, R9, AUX('attach_btf'))
    .jumpIfImmediate('==', R1, 0, noBtf)
    .loadField(4, R1, R1, kernelField('btf', 'id'))
    .store(4, R7, block + TICKET_OFFSET.attachBtfObjectId, R1)
    .place(noBtf)
    .loadField(8, R1, R9, AUX('dst_prog'))
    .jumpIfImmediate('==', R1, 0, noTarget)
    .storeImmediate(4, R7, block + TICKET_OFFSET.hasTargetProgram, 1)
    .place(noTarget);
}

function emitClearBlock(assembler: Assembler, block: number): void {
  assembler.moveImmediate(R1, 0);
  for (let offset = 0; offset < SHA256_BLOCK_BYTES; offset += 8) assembler.store(8, R7, block + offset, R1);
}

/** Every whole block of the instructions; R9 = bytes of instructions afterwards. */
function emitWholeBlocks(assembler: Assembler, at: number, step: string, failed: Label): void {
  assembler
    .move(R1, R8)
    .addFieldOffset(R1, PROG('insnsi'))
    .store(8, R7, at + SOURCE, R1)
    .loadField(4, R9, R8, PROG('len'))
    .aluImmediate('lsh', R9, 3)
    .store(8, R10, -8, R7)
    .move(R1, R9)
    .aluImmediate('rsh', R1, 6)
    .move(R6, R1)
    .loadFunction(R2, step)
    .move(R3, R10)
    .aluImmediate('add', R3, -8)
    .moveImmediate(R4, 0)
    .callHelper('loop')
    // The number of blocks done: fewer than asked means that one could not be read.
    .jumpIf('!=', R0, R6, failed);
}

/** step(index, &working memory): 1 ends the loop early. */
function assembleBlockStep(step: Assembler, at: number, compress: string): void {
  const failed = step.label('failed');
  step
    .load(8, R7, R2, 0)
    .move(R1, R7)
    .aluImmediate('add', R1, at + SHA256.block)
    .moveImmediate(R2, SHA256_BLOCK_BYTES)
    .load(8, R3, R7, at + SOURCE)
    .callHelper('probe_read_kernel')
    .jumpIfImmediate('!=', R0, 0, failed)
    .load(8, R1, R7, at + SOURCE)
    .aluImmediate('add', R1, SHA256_BLOCK_BYTES)
    .store(8, R7, at + SOURCE, R1)
    .move(R1, R7)
    .callFunction(compress)
    .moveImmediate(R0, 0)
    .exit()
    .place(failed)
    .moveImmediate(R0, 1)
    .exit();
}

/** The rest of the instructions, a 1 bit, zeros, and the message length in bits; R9 = bytes of instructions. */
function emitPadding(assembler: Assembler, at: number, compress: string, failed: Label): void {
  const block = at + SHA256.block;
  const roomForLength = assembler.label('room for the length');
  emitClearBlock(assembler, block);
  assembler
    .move(R6, R9)
    .aluImmediate('and', R6, SHA256_BLOCK_BYTES - 1)
    .move(R1, R7)
    .aluImmediate('add', R1, block)
    .move(R2, R6)
    .load(8, R3, R7, at + SOURCE)
    .callHelper('probe_read_kernel')
    .jumpIfImmediate('!=', R0, 0, failed)
    .move(R1, R7)
    .alu('add', R1, R6)
    .storeImmediate(1, R1, block, 0x80)
    .jumpIfImmediate('<', R6, LENGTH_AT, roomForLength)
    .move(R1, R7)
    .callFunction(compress);
  emitClearBlock(assembler, block);
  assembler
    .place(roomForLength)
    .move(R5, R9)
    .aluImmediate('add', R5, SHA256_BLOCK_BYTES)
    .aluImmediate('lsh', R5, 3)
    .toBigEndian(R5, 64)
    .store(8, R7, block + LENGTH_AT, R5)
    .move(R1, R7)
    .callFunction(compress);
}

/** The state in big-endian order is the digest. */
function emitDigest(assembler: Assembler, at: number): void {
  for (let index = 0; index < 8; index++) {
    assembler
      .load(4, R1, R7, at + SHA256.state + index * 4)
      .toBigEndian(R1, 32)
      .store(4, R7, at + DIGEST_OFFSET + index * 4, R1);
  }
}
