import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { initializeCA, initializeTLog, initializeTSA } from '@sigstore/mock';
import { preAuthenticationEncoding } from '../../../signing/attestation/dsse.js';
import type { KeylessSigstoreBundle } from '../../../signing/attestation/sigstore-bundle-schema.js';
import type { TrustedRoot } from '../../../signing/attestation/trusted-root.js';
import { certificateLog } from './certificate-log.js';
import { asRekorStores, type RekorResponse, readRekorResponse } from './rekor-entry.js';

export const ISSUER = 'https://token.actions.githubusercontent.com';
export const SUBJECT = 'https://github.com/acme/sensors/.github/workflows/release.yml@refs/tags/v1';
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const PAYLOAD = new TextEncoder().encode('{"_type":"https://in-toto.io/Statement/v1"}');
const REKOR_URL = 'http://rekor.test';

/** Issues a DER certificate for a key (SPKI in DER). */
export type Issue = (publicKey: Buffer) => Promise<Buffer>;

/**
 * A whole Sigstore instance in this process: Fulcio's authority, a certificate transparency log, Rekor and a timestamp
 * authority, each with keys of its own. The bundle is put together here, by the specification and not by our signer.
 */
export class SigstoreInstance {
  readonly caKey: KeyObject;
  readonly ctlog: ReturnType<typeof certificateLog>;
  readonly trustedRoot: TrustedRoot;
  readonly ca: Awaited<ReturnType<typeof initializeCA>>;
  readonly tsa: Awaited<ReturnType<typeof initializeTSA>>;
  readonly #rekorKeys: ReturnType<typeof ecKeyPair>;

  private constructor(parts: {
    readonly ca: Awaited<ReturnType<typeof initializeCA>>;
    readonly tsa: Awaited<ReturnType<typeof initializeTSA>>;
    readonly caKey: KeyObject;
    readonly ctlog: ReturnType<typeof certificateLog>;
    readonly rekorKeys: ReturnType<typeof ecKeyPair>;
    readonly trustedRoot: TrustedRoot;
  }) {
    this.ca = parts.ca;
    this.tsa = parts.tsa;
    this.#rekorKeys = parts.rekorKeys;
    this.caKey = parts.caKey;
    this.ctlog = parts.ctlog;
    this.trustedRoot = parts.trustedRoot;
  }

  static async start(): Promise<SigstoreInstance> {
    const [caKeys, ctlogKeys, rekorKeys, tsaKeys] = [ecKeyPair(), ecKeyPair(), ecKeyPair(), ecKeyPair()];
    const ctlog = certificateLog(ctlogKeys);
    const ca = await initializeCA(caKeys, ctlog);
    const tlog = await initializeTLog(REKOR_URL, rekorKeys);
    const tsa = await timestampAuthority(tsaKeys);
    const trustedRoot = {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logInstance(REKOR_URL, tlog.publicKey, sha256(tlog.publicKey))],
      ctlogs: [logInstance('http://ctlog.test', ctlog.publicKey, ctlog.logID)],
      certificateAuthorities: [authority(ca.rootCertificate)],
      timestampAuthorities: [authority(tsa.intCertificate, tsa.rootCertificate)],
    };
    return new SigstoreInstance({
      ...{ ca, tsa, ctlog, rekorKeys, trustedRoot },
      caKey: caKeys.privateKey,
    });
  }

  get caCertificate(): Buffer {
    return this.ca.rootCertificate;
  }

  /** A certificate as Fulcio issues it, with both forms of the issuer. */
  issue(identity: { readonly issuer?: string; readonly subject?: string } = {}): Issue {
    const { issuer = ISSUER, subject = SUBJECT } = identity;
    return (publicKey) =>
      this.ca.issueCertificate({
        publicKey,
        subjectAltName: subject,
        extensions: [
          { oid: '1.3.6.1.4.1.57264.1.1', value: issuer, legacy: true },
          { oid: '1.3.6.1.4.1.57264.1.8', value: issuer },
        ],
      });
  }

  /** @param loggedAt what Rekor's clock says; now, unless the test is about another time */
  async attest(
    options: {
      readonly issue?: Issue;
      readonly payload?: Uint8Array;
      readonly loggedAt?: Date;
      readonly keys?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
    } = {},
  ): Promise<KeylessSigstoreBundle> {
    const { issue = this.issue(), payload = PAYLOAD, loggedAt, keys = ecKeyPair() } = options;
    const certificate = await issue(keys.publicKey.export({ type: 'spki', format: 'der' }));
    const message = preAuthenticationEncoding(PAYLOAD_TYPE, payload);
    const signature = sign(
      keys.privateKey.asymmetricKeyType === 'ec' ? 'sha256' : null,
      message,
      keys.privateKey,
    );
    return {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: certificate.toString('base64') },
        tlogEntries: [readRekorResponse(await this.#log(certificate, signature, payload, loggedAt))],
      },
      dsseEnvelope: {
        payload: Buffer.from(payload).toString('base64'),
        payloadType: PAYLOAD_TYPE,
        signatures: [{ sig: signature.toString('base64') }],
      },
    };
  }

  async #log(
    certificate: Buffer,
    signature: Buffer,
    payload: Uint8Array,
    loggedAt: Date | undefined,
  ): Promise<RekorResponse> {
    const rekor = await this.rekor(loggedAt);
    return rekor.log(asRekorStores({ certificate, signature, payload, payloadType: PAYLOAD_TYPE }));
  }

  /** The log, which holds whatever it is given. */
  rekor(now?: Date): ReturnType<typeof initializeTLog> {
    return initializeTLog(REKOR_URL, this.#rekorKeys, now);
  }

  /** The bundle with an RFC 3161 timestamp over its signature. */
  async timestamp(bundle: KeylessSigstoreBundle): Promise<KeylessSigstoreBundle> {
    const signature = Buffer.from(bundle.dsseEnvelope.signatures[0].sig, 'base64');
    const timestamp = await this.tsa.timestamp({
      artifactHash: sha256(signature),
      hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
      nonce: 1,
      policyOID: '1.3.6.1.4.1.57264.2',
    });
    return {
      ...bundle,
      verificationMaterial: {
        ...bundle.verificationMaterial,
        timestampVerificationData: {
          rfc3161Timestamps: [{ signedTimestamp: timestamp.toString('base64') }],
        },
      },
    };
  }
}

/** Its times are whole seconds: the mock writes fractions in a form that `@sigstore/verify` does not read. */
async function timestampAuthority(keys: ReturnType<typeof ecKeyPair>): ReturnType<typeof initializeTSA> {
  const { rootCertificate, intCertificate } = await initializeTSA(keys);
  return {
    rootCertificate,
    intCertificate,
    timestamp: async (request) => {
      const now = new Date(Math.floor(Date.now() / 1000) * 1000);
      return (await initializeTSA(keys, now)).timestamp(request);
    },
  };
}

export function ecKeyPair(namedCurve = 'prime256v1') {
  return generateKeyPairSync('ec', { namedCurve });
}

function logInstance(baseUrl: string, publicKey: Buffer, keyId: Buffer) {
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: publicKey.toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: '2020-01-01T00:00:00Z' },
    },
    logId: { keyId: keyId.toString('base64') },
  };
}

function authority(...chain: readonly Buffer[]) {
  return {
    subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
    uri: 'http://authority.test',
    certChain: { certificates: chain.map((der) => ({ rawBytes: der.toString('base64') })) },
    validFor: { start: '2020-01-01T00:00:00Z' },
  };
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
