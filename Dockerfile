# The base of both stages: any image with Node 20.19 or newer, and npm for the first stage.
ARG BASE=node:20-bookworm-slim

FROM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# A private registry or an offline cache can be configured for the build alone: --secret id=npmrc,src=FILE.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY tsconfig.base.json ./
COPY engine engine
COPY lsm-hooks lsm-hooks
COPY policies policies
COPY rules-mitre rules-mitre
COPY signing signing
# The command line refers to every other part.
RUN node node_modules/typescript/bin/tsc -b engine/cli \
    && find dist -name '*.tsbuildinfo' -delete \
    && npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error

FROM ${BASE}
LABEL org.opencontainers.image.title="vespid" \
      org.opencontainers.image.description="Signed eBPF runtime security for Linux" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY LICENSE NOTICE README.md package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/policies/library policies/library
COPY --from=build /build/policies/schema policies/schema
COPY --from=build /build/engine/events/event.schema.json engine/events/event.schema.json
COPY --from=build /build/signing/attestation/bundle-predicate.schema.json /build/signing/attestation/provenance.schema.json signing/attestation/
COPY --from=build /build/signing/trust/trust-policy.schema.json signing/trust/trust-policy.schema.json
COPY --from=build /build/engine/cli/verify-output.schema.json /build/engine/cli/inspect-output.schema.json engine/cli/
COPY --from=build /build/dist dist
# Runs as root: loading programs needs CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN, which the host grants or not.
ENTRYPOINT ["node", "/app/dist/engine/cli/main.js"]
CMD ["--help"]
