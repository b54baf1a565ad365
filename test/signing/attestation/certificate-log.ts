import { createHash, type KeyObject, sign } from 'node:crypto';
import { DerReader } from '../../../signing/documents/der-reader.js';

/**
 * A certificate transparency log (RFC 6962) that promises and keeps nothing, in the form that the mocked Fulcio
 * takes. The mock's own leaves the signature out of its timestamps when it runs with a newer pkijs.
 */
export function certificateLog(keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }) {
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' });
  const logID = createHash('sha256').update(publicKey).digest();
  return {
    publicKey,
    logID,
    /** @param preCertificate signed, but without the extension that the answer goes into */
    log: async (preCertificate: ArrayBuffer, issuerKeyHash: ArrayBuffer): Promise<ArrayBuffer> => {
      const { tbs } = certificateParts(new Uint8Array(preCertificate));
      const sct = signTimestamp(tbs, Buffer.from(issuerKeyHash), logID, keys.privateKey);
      return Uint8Array.from(Buffer.concat([uint(sct.length, 2), sct])).buffer;
    },
  };
}

/** SignedCertificateTimestamp of a precertificate (section 3.2), by ECDSA with SHA-256. */
function signTimestamp(tbs: Buffer, issuerKeyHash: Buffer, logId: Buffer, key: KeyObject): Buffer {
  const version = Buffer.of(0);
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64BE(BigInt(Date.now()));
  const noExtensions = uint(0, 2);
  const certificateTimestamp = Buffer.of(0);
  const precertEntry = uint(1, 2);
  const entry = Buffer.concat([precertEntry, issuerKeyHash, uint(tbs.length, 3), tbs]);
  const signed = Buffer.concat([version, certificateTimestamp, timestamp, entry, noExtensions]);
  const signature = sign('sha256', signed, key);
  const sha256WithEcdsa = Buffer.of(4, 3);
  return Buffer.concat([
    ...[version, logId, timestamp, noExtensions],
    ...[sha256WithEcdsa, uint(signature.length, 2), signature],
  ]);
}

/** TBSCertificate of a DER certificate, with its header. */
export function certificateParts(certificate: Uint8Array): { readonly tbs: Buffer } {
  const whole = new DerReader(certificate).element();
  const tbs = new DerReader(whole.content).element();
  const headerLength = tbs.content.byteOffset - whole.content.byteOffset;
  return { tbs: Buffer.from(whole.content.subarray(0, headerLength + tbs.content.length)) };
}

function uint(value: number, byteLength: number): Buffer {
  const bytes = Buffer.alloc(byteLength);
  bytes.writeUIntBE(value, 0, byteLength);
  return bytes;
}
