#!/bin/sh
# A signer of Vespid's bundles that shares no code with it: openssl signs, jq writes canonical JSON, sha256sum and
# readelf find the facts. What docs/attestation.md says must be enough to write it.
#
#   independent-signer.sh KEY.pem POLICY.yaml PROGRAM.bpf.o NAME OUT
#
# POLICY is one policy on file.open that audits; PROGRAM has one XDP program "main" without maps or calls.
set -eu
key=$1 policy=$2 object=$3 name=$4 out=$5

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out/blobs/sha256"

sha256() { sha256sum "$1" | cut -d ' ' -f 1; }
size() { stat -c %s "$1"; }
# RFC 8785 for what is in these documents: members in order, no white space, no line end.
canonical() { jq -cSj .; }

# descriptor FILE MEDIA_TYPE: stores the file as a blob and prints its OCI descriptor
descriptor() {
  cp "$1" "$out/blobs/sha256/$(sha256 "$1")"
  jq -n --arg digest "sha256:$(sha256 "$1")" --arg type "$2" --argjson size "$(size "$1")" \
    '{ mediaType: $type, digest: $digest, size: $size }'
}

# titled FILE MEDIA_TYPE: the same, with the name that the file has in the bundle
titled() {
  descriptor "$1" "$2" | jq --arg name "$(basename "$1")" \
    '. + { annotations: { "org.opencontainers.image.title": $name } }'
}

manifest_type=application/vnd.oci.image.manifest.v1+json
bundle_type=application/vnd.vespid.bundle.v1
sigstore_type=application/vnd.dev.sigstore.bundle.v0.3+json

# The bundle's manifest: a config with its name and bpfman's labels, a layer for each file.
jq -n --arg name "$name" '{
    apiVersion: "vespid.dev/v1", kind: "Bundle", name: $name,
    config: { Labels: { "io.ebpf.programs": ({ main: "xdp" } | tojson), "io.ebpf.maps": "{}" } }
  }' | canonical >"$work/config"
jq -n \
  --arg type "$manifest_type" --arg artifact "$bundle_type" \
  --argjson config "$(descriptor "$work/config" application/vnd.vespid.bundle.config.v1+json)" \
  --argjson policy "$(titled "$policy" application/vnd.vespid.policy.v1+yaml)" \
  --argjson object "$(titled "$object" application/vnd.vespid.object.v1+elf)" \
  '{ schemaVersion: 2, mediaType: $type, artifactType: $artifact, config: $config, layers: [$policy, $object] }' |
  canonical >"$work/manifest"
manifest=$(descriptor "$work/manifest" "$manifest_type")

# The program's instructions: offset and size of its section, as readelf prints them.
section=$(readelf -SW "$object" |
  sed -n 's/^ *\[ *[0-9]*\] xdp  *PROGBITS  *[0-9a-f]* \([0-9a-f]*\) \([0-9a-f]*\) .*/\1 \2/p')
offset=$((0x${section% *})) bytes=$((0x${section#* }))
tail -c "+$((offset + 1))" "$object" | head -c "$bytes" >"$work/instructions"
program=$(sha256 "$work/instructions")

# The in-toto statement: subjects are the manifest, the files and the program.
jq -n \
  --arg name "$name" --arg manifest "$(sha256 "$work/manifest")" \
  --arg policy "$(basename "$policy")" --arg policyDigest "$(sha256 "$policy")" \
  --arg object "$(basename "$object")" --arg objectDigest "$(sha256 "$object")" \
  --arg program "$program" --argjson instructions $((bytes / 8)) '
  def subject($name; $digest): { name: $name, digest: { sha256: $digest } };
  {
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      subject("bundle:" + $name; $manifest),
      subject($policy; $policyDigest),
      subject($object; $objectDigest),
      subject($object + "#xdp/main"; $program)
    ],
    predicateType: "https://vespid.dev/attestation/bundle/v1",
    predicate: {
      compiler: { name: "vespid", version: "0.0.0-independent" },
      programs: [{
        object: $object, section: "xdp", name: "main", type: "xdp", attachType: "xdp", attachTarget: "",
        license: "", instructionCount: $instructions, sha256: $program, maps: [], helpers: [], kfuncs: [],
        kernelSymbols: [], sleepable: false, coreRelocationCount: 0, effects: []
      }],
      policies: [{
        file: $policy, digest: ("sha256:" + $policyDigest), name: "sample", hooks: ["file.open"], effects: ["audit"]
      }],
      structOps: []
    }
  }' | canonical >"$work/statement"

# DSSE 1.0: "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body, signed as it is.
payload_type=application/vnd.in-toto+json
printf 'DSSEv1 %d %s %d ' "${#payload_type}" "$payload_type" "$(size "$work/statement")" >"$work/encoding"
cat "$work/statement" >>"$work/encoding"
openssl pkeyutl -sign -rawin -inkey "$key" -in "$work/encoding" -out "$work/signature"
openssl pkey -in "$key" -pubout -outform DER -out "$work/spki"

# The Sigstore bundle v0.3 around it, and the manifest that attaches it to the bundle's.
jq -n \
  --arg media "$sigstore_type" --arg hint "$(sha256 "$work/spki")" --arg type "$payload_type" \
  --arg payload "$(base64 -w 0 "$work/statement")" --arg sig "$(base64 -w 0 "$work/signature")" '{
    mediaType: $media,
    verificationMaterial: { publicKey: { hint: $hint } },
    dsseEnvelope: { payload: $payload, payloadType: $type, signatures: [{ sig: $sig, keyid: $hint }] }
  }' | canonical >"$work/sigstore"
printf '{}' >"$work/empty"
jq -n \
  --arg type "$manifest_type" --arg artifact "$sigstore_type" --argjson subject "$manifest" \
  --argjson config "$(descriptor "$work/empty" application/vnd.oci.empty.v1+json)" \
  --argjson layer "$(descriptor "$work/sigstore" "$sigstore_type")" '{
    schemaVersion: 2, mediaType: $type, artifactType: $artifact, config: $config, layers: [$layer], subject: $subject,
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": "https://vespid.dev/attestation/bundle/v1"
    }
  }' | canonical >"$work/attestation"

# The OCI image layout: its version, and the index of both manifests.
printf '{"imageLayoutVersion":"1.0.0"}' >"$out/oci-layout"
jq -n \
  --arg name "$name" --arg artifact "$bundle_type" --arg sigstore "$sigstore_type" --argjson manifest "$manifest" \
  --argjson attestation "$(descriptor "$work/attestation" "$manifest_type")" '{
    schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      $manifest + { artifactType: $artifact, annotations: { "org.opencontainers.image.ref.name": $name } },
      $attestation + { artifactType: $sigstore }
    ]
  }' | canonical >"$out/index.json"
