#!/bin/sh
# Signs standard input with a key that OpenSSL can use, and prints 64 bytes of Ed25519 signature.
#   vespid sign … --sign-command 'sign-with-openssl.sh release.key' --public-key release.pub
# OpenSSL wants the bytes of an Ed25519 signature in a file, since it must know how many they are.
set -eu
message=$(mktemp)
trap 'rm -f "$message"' EXIT
cat >"$message"
openssl pkeyutl -sign -rawin -inkey "$1" -in "$message"
