/**
 * Every error code of Vespid, in one table. `exit` is the process exit code the CLI gives for it:
 * 1 failed, 2 usage, 3 refused by verification or trust, 4 not supported by this kernel.
 * `test/errors/codes.test.ts` holds this table and the code to each other.
 */
export const ERROR_CODES = {
  // Reading untrusted bytes (engine/bytecode)
  BYTES_OUT_OF_RANGE: { exit: 1, summary: 'a read past the end of the input' },
  ELF_MALFORMED: { exit: 1, summary: 'the object file is not well-formed ELF' },
  ELF_UNSUPPORTED: { exit: 1, summary: 'the file is ELF, but not a 64-bit BPF object file' },
  BTF_MALFORMED: { exit: 1, summary: 'type information (BTF) breaks the format' },
  BTF_EXT_MALFORMED: { exit: 1, summary: 'the .BTF.ext section of an object breaks the format' },
  OBJECT_MALFORMED: {
    exit: 1,
    summary: 'symbols, relocations and sections of a BPF object contradict one another',
  },
  OBJECT_UNSUPPORTED: { exit: 1, summary: 'a BPF object needs something that no loader gives it' },
  OBJECT_SECTION_UNKNOWN: { exit: 1, summary: 'the section name of a program says no known program type' },
  OBJECT_PROGRAM_UNKNOWN: { exit: 1, summary: 'a BPF object has no program of the name asked for' },
  OBJECT_VARIABLE_UNKNOWN: {
    exit: 2,
    summary: 'a BPF object has no global variable, or no part of one, of the name asked for',
  },
  OBJECT_VARIABLE_INVALID: { exit: 2, summary: 'a value does not fit the type of a global variable' },
  OBJECT_DEFINITION_INVALID: {
    exit: 1,
    summary: 'what the object writer was given cannot be written as an object',
  },
  CORE_MALFORMED: { exit: 1, summary: 'a CO-RE relocation does not fit the types of its own object' },
  CORE_UNSUPPORTED: { exit: 1, summary: 'a CO-RE relocation is of a kind that Vespid does not resolve yet' },
  CORE_AMBIGUOUS: { exit: 1, summary: 'kernel types of one name give a CO-RE relocation different values' },
  CORE_INSTRUCTION_MISMATCH: {
    exit: 1,
    summary: 'an instruction does not hold what its CO-RE relocation says',
  },

  // Assembling and compiling (engine/bytecode, engine/compiler)
  ASSEMBLER_INVALID: {
    exit: 1,
    summary: 'code that cannot be encoded: a label not placed, a value out of range',
  },
  INSTRUCTION_TRUNCATED: { exit: 1, summary: 'code ends within an instruction' },
  INSTRUCTION_UNKNOWN: { exit: 1, summary: 'code has an opcode or operation that is no BPF instruction' },
  INSTRUCTION_RESERVED_FIELD: {
    exit: 1,
    summary: 'an instruction has a value in a field that has to be zero or hold another',
  },
  INSTRUCTION_LIMIT: { exit: 1, summary: 'code has more instructions than any kernel takes' },
  ASSEMBLY_SYNTAX: { exit: 1, summary: 'a line of assembler text is no instruction in either form' },
  ASSEMBLY_RANGE: { exit: 1, summary: 'a number in assembler text is too large for its field' },
  ASSEMBLY_SYMBOL_UNKNOWN: {
    exit: 1,
    summary: 'assembler text names a label, helper, map or function that there is not',
  },
  ASSEMBLY_SYMBOL_DUPLICATE: { exit: 1, summary: 'assembler text gives one name to two things' },
  ASSEMBLY_LIMIT: { exit: 1, summary: 'assembler text is longer than any program can be' },

  COMPILE_LIMIT: { exit: 1, summary: 'a policy set that needs more than a program can hold' },
  COMPILE_UNREADABLE_FIELD: {
    exit: 1,
    summary: 'a rule tests a field that no attach point of its hook can read',
  },

  OBJECT_METADATA_MALFORMED: { exit: 1, summary: "an object's own rule table cannot be read" },

  // The kernel (engine/kernel)
  KERNEL_UNSUPPORTED: { exit: 4, summary: 'this kernel or machine lacks something that is needed' },
  KERNEL_PERMISSION: { exit: 4, summary: 'the kernel refused a bpf(2) command for lack of privilege' },
  KERNEL_CALL_FAILED: { exit: 1, summary: 'a system call failed' },
  PROGRAM_REFUSED: { exit: 1, summary: "the kernel's verifier refused a program; the log says why" },
  BTF_REFUSED: { exit: 1, summary: "the kernel refused an object's BTF; the log says why" },
  KERNEL_OBJECT_GONE: { exit: 1, summary: 'the kernel has no map, program, BTF or link of an id' },
  KERNEL_OBJECT_CLOSED: { exit: 1, summary: 'an object of the kernel was used after its owner closed it' },
  TEXT_HAS_NUL: { exit: 1, summary: 'a name or path for the kernel has a NUL in it' },
  MAP_DEFINITION_INVALID: { exit: 1, summary: 'a size or number of a map to be made is not one' },
  KERNEL_SYMBOLS_HIDDEN: { exit: 4, summary: 'the kernel does not tell the addresses of its symbols' },
  BTF_VALUE_MISMATCH: {
    exit: 1,
    summary: 'a JavaScript value does not fit the BTF type that it is written as',
  },
  BTF_VALUE_UNSUPPORTED: {
    exit: 1,
    summary: 'a BTF type has no values, or none that can be read and written',
  },
  MAP_ELEMENT_SIZE: { exit: 1, summary: 'a key or value is not of the size that its map has' },
  MAP_WALK_ABORTED: { exit: 1, summary: 'a map changes faster than its keys can be walked' },
  PIN_NOT_FOUND: { exit: 1, summary: 'nothing is pinned at a path' },
  PIN_EXISTS: { exit: 1, summary: 'a path that something is to be pinned at is taken' },
  PIN_MISMATCH: { exit: 1, summary: 'what is pinned at a path is not what is expected there' },
  INTERFACE_NOT_FOUND: { exit: 2, summary: 'a name that no network interface of this namespace has' },
  RING_SIZE_INVALID: { exit: 1, summary: 'a ring or perf buffer of a size that cannot be mapped' },
  RECORD_SIZE_INVALID: { exit: 1, summary: 'a record that no ring of this size can hold' },
  TRACEPOINT_NOT_FOUND: { exit: 4, summary: 'a tracepoint that this kernel does not have' },
  SYMBOL_NOT_FOUND: { exit: 1, summary: 'an executable to probe has no function of this name' },
  EXECUTABLE_MALFORMED: { exit: 1, summary: 'an executable to probe is not 64-bit little-endian ELF' },
  ATTACH_INVALID: { exit: 2, summary: 'what an attachment was given contradicts itself' },
  NETLINK_MALFORMED: { exit: 1, summary: 'a netlink message breaks the format' },
  NETLINK_REFUSED: { exit: 1, summary: 'the kernel refused a request about network devices' },
  CGROUP_NOT_FOUND: { exit: 2, summary: 'a path that is not a cgroup v2 directory' },

  // Objects in the kernel (engine/bpf)
  OBJECT_BYTE_ORDER: { exit: 4, summary: 'an object was built for machines of the other byte order' },
  OBJECT_MAP_UNKNOWN: { exit: 1, summary: 'a loaded object has no map of the name asked for' },
  EXTERN_UNRESOLVED: {
    exit: 4,
    summary: 'a program needs a function, variable or configuration value that this kernel lacks',
  },
  EXTERN_MISMATCH: {
    exit: 4,
    summary: 'a configuration value of the kernel does not fit the type that an object gives it',
  },
  MAP_INCOMPATIBLE: { exit: 1, summary: 'a map is of another form than what it is given for' },
  STRUCT_OPS_MISMATCH: {
    exit: 4,
    summary: "a struct of callbacks does not fit the kernel's, or the kernel has none of that name",
  },
  ATTACH_TARGET_UNKNOWN: {
    exit: 4,
    summary: 'a program names no attach target, or one that this kernel does not have',
  },
  ATTACH_UNSUPPORTED: { exit: 1, summary: 'a program cannot be attached by what its section says alone' },

  // Policies (policies/language)
  POLICY_YAML_SYNTAX: { exit: 1, summary: 'a policy file is not YAML of the form that is accepted' },
  POLICY_LIMIT: { exit: 1, summary: 'a policy file, a list or a condition is larger than its limit' },
  POLICY_SCHEMA: { exit: 1, summary: 'a policy lacks a value or has one of the wrong form' },
  POLICY_UNKNOWN_KEY: { exit: 1, summary: 'a policy has a key that its form does not know' },
  POLICY_NOT_YET_SUPPORTED: { exit: 1, summary: 'a policy uses a documented form that is still to come' },
  POLICY_DUPLICATE_NAME: { exit: 1, summary: 'two policies have the same name' },
  POLICY_ATTACK_UNKNOWN: { exit: 1, summary: 'a technique id is not in ATT&CK v19 for Linux or containers' },
  POLICY_UNKNOWN_HOOK: { exit: 1, summary: 'a rule names a hook that the catalogue does not have' },
  POLICY_UNKNOWN_FIELD: { exit: 1, summary: 'a condition names a field that its hook does not have' },
  POLICY_CEL_SYNTAX: { exit: 1, summary: 'a condition is not a CEL expression' },
  POLICY_CEL_TYPE: { exit: 1, summary: 'the types in a condition do not fit together' },
  POLICY_CONDITION_UNSUPPORTED: {
    exit: 1,
    summary: 'a condition is good CEL but cannot be compiled for the kernel',
  },
  POLICY_CONSTANT_INVALID: { exit: 1, summary: 'a field is compared with a constant that it can never hold' },
  POLICY_FIELD_VALUE: {
    exit: 1,
    summary: 'an event lacks a field that a condition reads, or has it in another type',
  },

  // Signing and trust (signing)
  KEY_MALFORMED: { exit: 1, summary: 'a key file is not the PEM of a PKCS#8 private or SPKI public key' },
  KEY_ENCRYPTED: { exit: 1, summary: 'a private key is under a passphrase, and none was given' },
  KEY_ENCRYPTION_UNSUPPORTED: {
    exit: 1,
    summary: 'a private key is encrypted in another way than PBES2 with PBKDF2 or scrypt and AES',
  },
  KEY_ENCRYPTION_COSTLY: {
    exit: 1,
    summary: 'an encrypted private key asks for more work or memory than any honest one',
  },
  KEY_PASSPHRASE_WRONG: { exit: 1, summary: 'the passphrase does not open an encrypted private key' },
  KEY_PASSPHRASE_INVALID: { exit: 2, summary: 'a passphrase is empty, too short or not one line of text' },
  KEY_ALGORITHM_UNSUPPORTED: { exit: 1, summary: 'a key is of another algorithm than Ed25519' },
  KEY_NOT_PRIVATE: { exit: 1, summary: 'a public key was given where the private key is needed' },
  KEY_NOT_PUBLIC: { exit: 1, summary: 'a private key was given where the public key is needed' },
  KEY_WEAK: {
    exit: 3,
    summary: 'a public key under which a signature proves nothing (small order, non-canonical)',
  },
  SIGNER_VARIABLE_MISSING: { exit: 2, summary: 'an environment variable to sign with is not set' },
  SIGNER_COMMAND_FAILED: { exit: 1, summary: 'the command that signs did not start or did not succeed' },
  SIGNER_COMMAND_TIMEOUT: { exit: 1, summary: 'the command that signs did not answer in time' },
  SIGNER_OUTPUT_INVALID: {
    exit: 1,
    summary: 'the command that signs printed something else than a signature',
  },
  SIGNER_KEY_MISMATCH: { exit: 1, summary: 'the command that signs used another key than --public-key' },
  SIGNER_TOKEN_MISSING: { exit: 2, summary: 'there is no identity token to sign without a key' },
  SIGNER_TOKEN_INVALID: { exit: 1, summary: 'an identity token is no JSON Web Token, or has expired' },
  SIGNER_TOKEN_UNAVAILABLE: { exit: 1, summary: 'the CI system gave no identity token' },
  SIGNER_FULCIO_FAILED: { exit: 1, summary: 'Fulcio gave no certificate to sign with' },
  SIGNER_REKOR_FAILED: { exit: 1, summary: 'Rekor did not take the entry of a signature' },
  SIGNER_TIMESTAMP_FAILED: { exit: 1, summary: 'a timestamp authority gave no timestamp of a signature' },
  SIGNER_ANSWER_INVALID: {
    exit: 1,
    summary: 'a service of Sigstore answered in another form than documented',
  },
  SIGN_INPUT_EMPTY: { exit: 2, summary: 'there is neither a policy nor an object to sign' },
  SIGN_NAME_INVALID: { exit: 2, summary: 'a bundle or file to sign has a name that a bundle cannot carry' },
  SIGN_VERSION_INVALID: { exit: 2, summary: 'the version to sign is not Semantic Versioning 2.0.0' },
  SIGN_CONTENT_DUPLICATE: { exit: 2, summary: 'two files to sign have the same content' },
  SIGN_NAME_DUPLICATE: { exit: 2, summary: 'two files to sign have the same name' },
  SIGN_CLAIM_INVALID: { exit: 1, summary: 'what is claimed about programs does not fit the objects to sign' },
  SIGN_ATTESTATION_INVALID: { exit: 1, summary: 'a signer attested something else than it was given' },
  BUNDLE_OUTPUT_OCCUPIED: { exit: 2, summary: 'the output path holds something other than a bundle' },
  BUNDLE_NOT_A_BUNDLE: { exit: 3, summary: 'a path is not an OCI image layout' },
  BUNDLE_TOO_LARGE: { exit: 3, summary: 'a bundle has more files or bytes than its limits allow' },
  BUNDLE_LAYOUT_UNSUPPORTED: {
    exit: 3,
    summary: 'oci-layout is not exactly that of image layout version 1.0.0',
  },
  BUNDLE_FILE_NOT_REGULAR: { exit: 3, summary: 'a bundle has a symlink, device, socket or pipe in it' },
  BUNDLE_FILE_CHANGED: { exit: 3, summary: 'a file of a bundle changed while it was read' },
  BUNDLE_FILE_DUPLICATE: { exit: 3, summary: 'a tar file has a file or directory twice' },
  BUNDLE_TAR_MALFORMED: {
    exit: 3,
    summary: 'the tar file of a bundle breaks the format, or holds more than files',
  },
  BUNDLE_TAR_UNSUPPORTED: { exit: 3, summary: 'the tar file of a bundle uses an extension of the format' },
  BUNDLE_FILE_MISSING: { exit: 3, summary: 'a file that a bundle names is not in it' },
  BUNDLE_FILE_UNEXPECTED: { exit: 3, summary: 'a bundle has a file that it does not name' },
  BUNDLE_BLOB_DIGEST_MISMATCH: { exit: 3, summary: 'a blob does not have the digest in its path' },
  BUNDLE_BLOB_SIZE_MISMATCH: { exit: 3, summary: 'a blob does not have the size in its descriptor' },
  BUNDLE_BLOB_SHARED: { exit: 3, summary: 'two descriptors of a bundle name one blob' },
  BUNDLE_JSON_MALFORMED: { exit: 3, summary: 'a document of a bundle is not strict JSON' },
  BUNDLE_JSON_DUPLICATE_KEY: { exit: 3, summary: 'a document of a bundle has a member twice' },
  BUNDLE_JSON_LIMIT: { exit: 3, summary: 'a document of a bundle is too large or nests too deep' },
  BUNDLE_JSON_NOT_CANONICAL: { exit: 3, summary: 'a document of a bundle is not in its canonical form' },
  BUNDLE_DOCUMENT_INVALID: { exit: 3, summary: 'a document of a bundle has not the documented members' },
  BUNDLE_VERSION_INVALID: { exit: 3, summary: 'the version of a bundle is not Semantic Versioning 2.0.0' },
  BUNDLE_LABELS_MISMATCH: {
    exit: 3,
    summary: 'the labels of a bundle say other programs than its signers state',
  },
  BUNDLE_NAME_INVALID: { exit: 3, summary: 'a bundle or a file in it has a name that is not allowed' },
  BUNDLE_NAME_DUPLICATE: { exit: 3, summary: 'two files of a bundle have the same name' },
  BUNDLE_NAME_MISMATCH: {
    exit: 3,
    summary: "the index calls a bundle otherwise than the bundle's own config",
  },
  BUNDLE_UNSIGNED: { exit: 3, summary: 'a bundle has no attestation' },
  BUNDLE_ATTESTATION_DUPLICATE: { exit: 3, summary: 'a bundle lists one attestation twice' },
  BUNDLE_ATTESTATION_FOREIGN: { exit: 3, summary: 'an attestation is attached to another manifest' },
  BUNDLE_KEY_ID_MISMATCH: { exit: 3, summary: 'an attestation names two different keys' },
  BUNDLE_SIGNATURE_INVALID: { exit: 3, summary: 'a signature does not verify with the key that it names' },
  BUNDLE_PAYLOAD_TYPE_UNSUPPORTED: { exit: 3, summary: 'a signature was made over another type of payload' },
  BUNDLE_SIGNER_UNKNOWN: { exit: 3, summary: 'no signer of a bundle is in the trust policy' },
  BUNDLE_SIGNER_EXPIRED: { exit: 3, summary: 'the signing key is past its validUntil' },
  BUNDLE_SIGNER_NOT_YET_VALID: { exit: 3, summary: 'the signing key is before its validFrom' },
  BUNDLE_SIGNER_REVOKED: { exit: 3, summary: 'the trust policy revokes the signer of a bundle' },
  BUNDLE_SIGNER_NOT_ENTITLED: {
    exit: 3,
    summary: 'a signer of a bundle may not sign something that is in it',
  },
  BUNDLE_DIGEST_REVOKED: { exit: 3, summary: 'the trust policy revokes something that is in a bundle' },
  BUNDLE_VERSION_BELOW_MINIMUM: {
    exit: 3,
    summary: 'a bundle is older than the trust policy accepts of its name',
  },
  BUNDLE_PROVENANCE_NOT_MET: {
    exit: 3,
    summary: 'no trusted signer states the provenance that the trust policy asks for',
  },
  BUNDLE_THRESHOLD_NOT_MET: { exit: 3, summary: 'too few distinct trusted keys signed a bundle' },
  BUNDLE_ATTESTATIONS_DISAGREE: {
    exit: 3,
    summary: 'trusted signers of a bundle signed different statements',
  },
  BUNDLE_STATEMENT_INVALID: { exit: 3, summary: 'a signed payload is not a Vespid in-toto statement' },
  BUNDLE_SUBJECT_DUPLICATE: { exit: 3, summary: 'a signed statement has a subject twice' },
  BUNDLE_SUBJECT_MISSING: {
    exit: 3,
    summary: 'a signed statement leaves out a file or program of the bundle',
  },
  BUNDLE_SUBJECT_MISMATCH: {
    exit: 3,
    summary: 'a signed statement has another digest for a file or program',
  },
  BUNDLE_SUBJECT_UNEXPECTED: {
    exit: 3,
    summary: 'a signed statement has a subject that is not in the bundle',
  },
  BUNDLE_CLAIM_INVALID: {
    exit: 3,
    summary: 'signed claims do not fit the files of the bundle: one has none, or one is about no file',
  },
  BUNDLE_CERTIFICATE_INVALID: {
    exit: 3,
    summary: 'the certificate of a keyless signature is not one that the trusted root vouches for',
  },
  BUNDLE_LOG_ENTRY_INVALID: {
    exit: 3,
    summary: 'a keyless signature is not proven to be in a trusted transparency log',
  },
  BUNDLE_TIMESTAMP_INVALID: {
    exit: 3,
    summary: 'a keyless signature has no trusted time, or a false one',
  },
  PROVENANCE_INVALID: { exit: 1, summary: 'a provenance file is not a predicate of SLSA provenance v1' },
  PROVENANCE_VARIABLE_MISSING: {
    exit: 1,
    summary: 'a CI system does not say something that provenance needs',
  },
  PROVENANCE_VARIABLE_INVALID: {
    exit: 1,
    summary: 'a variable of a CI system is not of the form that the system documents',
  },
  TRUST_POLICY_MALFORMED: { exit: 1, summary: 'a trust policy is not one plain YAML document' },
  TRUST_POLICY_INVALID: { exit: 1, summary: 'a trust policy has an unknown, missing or wrong field' },
  TRUST_POLICY_DATE_INVALID: {
    exit: 1,
    summary: 'a date of a trust policy is not RFC 3339, or ends before it starts',
  },
  TRUST_POLICY_KEY_UNREADABLE: {
    exit: 1,
    summary: 'a public key file that a trust policy names cannot be read',
  },
  TRUST_POLICY_ID_DUPLICATE: { exit: 1, summary: 'a trust policy has an id twice' },
  TRUST_POLICY_KEY_DUPLICATE: { exit: 1, summary: 'a trust policy has one key or identity twice' },
  TRUST_POLICY_THRESHOLD_UNREACHABLE: {
    exit: 1,
    summary: 'a threshold of a trust policy is above the signers that can count for it',
  },
  TRUST_POLICY_EXPIRED: { exit: 3, summary: 'a trust policy is past its expiry' },
  TRUST_POLICY_GROUP_INVALID: {
    exit: 1,
    summary: 'a group of a trust policy has a member, or a requirement a group, that there is not',
  },
  TRUST_POLICY_DOUBTFUL: { exit: 1, summary: 'a trust policy says something that is probably not meant' },
  TRUST_POLICY_REVOCATION_DUPLICATE: { exit: 1, summary: 'a trust policy revokes one thing twice' },
  TRUST_POLICY_ROOT_UNREADABLE: {
    exit: 1,
    summary: 'a Sigstore trusted root that a trust policy names cannot be read',
  },
  SIGSTORE_ROOT_UNAVAILABLE: {
    exit: 1,
    summary: 'the trusted root of a Sigstore instance could not be fetched and proven',
  },
  TRUST_POLICY_ROOT_INVALID: { exit: 1, summary: 'a Sigstore trusted root is not of its documented form' },
  TRUST_POLICY_NOT_SIGNABLE: {
    exit: 1,
    summary: 'a trust policy lacks the version, expiry or root keys of a signed one',
  },
  TRUST_POLICY_ENVELOPE_INVALID: {
    exit: 3,
    summary: 'a signed trust policy is not the documented envelope',
  },
  TRUST_POLICY_SIGNATURE_INVALID: {
    exit: 3,
    summary: 'a signature by a root key does not verify over the trust policy',
  },
  TRUST_POLICY_ROOT_THRESHOLD_NOT_MET: { exit: 3, summary: 'too few root keys signed a trust policy' },
  TRUST_POLICY_ROOT_KEY_MISSING: {
    exit: 3,
    summary: 'a pinned root key is not among the root keys of a trust policy',
  },
  TRUST_POLICY_UNSIGNED: {
    exit: 3,
    summary: 'an unsigned trust policy where a signed one is expected',
  },
  TRUST_POLICY_ROLLBACK: {
    exit: 3,
    summary: 'a trust policy is older than the one that the node accepted',
  },
  TRUST_POLICY_VERSION_REUSED: {
    exit: 3,
    summary: 'a trust policy has the version of the accepted one and other content',
  },
  BUNDLE_ROLLBACK: { exit: 3, summary: 'a bundle is older than the one that the node ran' },
  BUNDLE_VERSION_REUSED: {
    exit: 3,
    summary: 'a bundle has the version of the one that the node ran and other content',
  },
  BUNDLE_VERSION_MISSING: {
    exit: 3,
    summary: 'a bundle states no version where the node ran a versioned one',
  },
  TRUST_STATE_CORRUPT: { exit: 3, summary: "the file of a node's memory is damaged" },
  TRUST_STATE_UNSAFE: {
    exit: 3,
    summary: "others than its owner could change the file of a node's memory",
  },
  TRUST_STATE_UNREADABLE: { exit: 1, summary: "the file of a node's memory cannot be read" },
  TRUST_STATE_UNWRITABLE: { exit: 1, summary: "the file of a node's memory cannot be written" },
  TRUST_STATE_BUSY: { exit: 1, summary: "another process holds the lock of a node's memory" },
  TRUST_STATE_NOT_REMEMBERED: { exit: 1, summary: 'the node is to forget what it does not remember' },

  // Registries (engine/bundles/registry)
  REGISTRY_REFERENCE_INVALID: { exit: 2, summary: 'a reference does not name a bundle in a registry' },
  REGISTRY_CREDENTIALS_UNREADABLE: {
    exit: 1,
    summary: 'the docker config, or a credential helper that it names, gives no credentials',
  },
  REGISTRY_UNREACHABLE: { exit: 1, summary: 'a registry cannot be reached, or not over TLS that is trusted' },
  REGISTRY_UNAVAILABLE: { exit: 1, summary: 'a registry fails, or asks for patience, at every attempt' },
  REGISTRY_UNAUTHORIZED: { exit: 1, summary: 'a registry wants a login, or another than it got' },
  REGISTRY_DENIED: { exit: 1, summary: 'a registry knows the user and does not allow what was asked' },
  REGISTRY_NOT_FOUND: { exit: 1, summary: 'a registry does not have what was asked for' },
  REGISTRY_REFUSED: { exit: 1, summary: 'a registry refuses a request for a reason of its own' },
  REGISTRY_TAG_TAKEN: { exit: 2, summary: 'a tag points to another bundle already' },
  REGISTRY_INSECURE: {
    exit: 3,
    summary: 'a registry sends its clients on to plain http, over which nothing is sent',
  },
  REGISTRY_ANSWER_INVALID: { exit: 3, summary: 'an answer of a registry breaks the protocol' },
  REGISTRY_ANSWER_TOO_LARGE: { exit: 3, summary: 'a registry sends more bytes than what was asked for has' },
  REGISTRY_DIGEST_MISMATCH: { exit: 3, summary: 'a registry serves other bytes than those of a digest' },

  // Loading (engine/loader)
  EFFECT_NOT_DELIVERABLE: { exit: 4, summary: 'a policy asks for an effect that this kernel cannot deliver' },
  HOOK_NOT_ATTACHABLE: { exit: 4, summary: 'no way to attach a hook works on this kernel' },
  GATE_UNSUPPORTED: { exit: 4, summary: 'the gate cannot stand before the verifier on this kernel' },
  BUNDLE_CLAIM_FALSE: { exit: 3, summary: 'an attestation states something else than the files hold' },

  // The demonstration (engine/cli/demo)
  DEMO_STEP_MISSED: { exit: 1, summary: 'a step of the demo was not caught as its policy asks' },

  // General input and environment
  INPUT_NOT_FOUND: { exit: 2, summary: 'a file or directory named on the command line does not exist' },
  INPUT_UNREADABLE: { exit: 1, summary: 'a file exists but could not be read or written' },
  INPUT_WRONG_KIND: {
    exit: 2,
    summary: 'a path is of another kind than is needed there: a file, a directory, a policy, an object',
  },
  INPUT_TOO_LARGE: { exit: 1, summary: 'a file is larger than any input can be' },
  INPUT_NOT_TEXT: { exit: 1, summary: 'a file that has to be text is not UTF-8' },
  OUTPUT_EXISTS: { exit: 2, summary: 'a file that is never overwritten unasked exists already' },
  OUTPUT_FAILED: { exit: 1, summary: 'a file or standard output could not be written' },
  USAGE: { exit: 2, summary: 'the command line is not of the documented form' },
  INTERNAL: { exit: 1, summary: 'a fault in Vespid itself; please report it' },

  // Events and sinks (engine/events)
  EVENT_RECORD_SHORT: { exit: 1, summary: 'a record of the ring buffer is shorter than its header' },
  EVENT_RECORD_VERSION: { exit: 1, summary: 'a record of the ring buffer has another layout version' },
  EVENT_RECORD_HOOK: { exit: 1, summary: 'a record of the ring buffer names a hook that does not exist' },
  EVENT_RECORD_LENGTH: { exit: 1, summary: 'the lengths in a record of the ring buffer do not add up' },
  EVENT_RECORD_MALFORMED: { exit: 1, summary: 'a record of the ring buffer holds a value of no meaning' },
  EVENT_PROGRAM_UNKNOWN: { exit: 1, summary: 'a record comes from a program that this process did not load' },
  EVENT_RULE_UNKNOWN: {
    exit: 1,
    summary: 'a record says that a rule matched which its program does not have',
  },
  SINK_SPEC_INVALID: {
    exit: 2,
    summary: 'a sink is not of the form stdout, jsonl:PATH or kafka:HOST:PORT/TOPIC',
  },
  SINK_FILE_UNWRITABLE: { exit: 1, summary: 'events cannot be written to a file' },
  SINK_STDOUT_FAILED: { exit: 1, summary: 'events cannot be written to standard output' },
  SINK_QUEUE_FULL: { exit: 1, summary: 'events are lost because the queue of a sink is full' },
  SINK_EVENT_TOO_LARGE: { exit: 1, summary: 'the receiver of a sink refuses an event for its size' },
  SINK_UNDELIVERED: { exit: 1, summary: 'a sink was closed before all its events were delivered' },
  KAFKA_ADDRESS_UNRESOLVED: {
    exit: 1,
    summary: 'the name in the address of a Kafka broker does not resolve',
  },
  KAFKA_UNREACHABLE: { exit: 1, summary: 'no Kafka broker answers at the address' },
  KAFKA_TOPIC_UNAVAILABLE: { exit: 1, summary: 'the Kafka topic does not exist or may not be written to' },
  KAFKA_REFUSED: { exit: 1, summary: 'the Kafka broker refused the events' },
} as const satisfies Record<string, ErrorCodeEntry>;

/** One row of {@link ERROR_CODES}. */
export interface ErrorCodeEntry {
  readonly exit: 1 | 2 | 3 | 4;
  readonly summary: string;
}

export type ErrorCode = keyof typeof ERROR_CODES;
