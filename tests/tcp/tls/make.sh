#!/usr/bin/env bash
# Makes the certificates and keys in this folder: an authority and servers that
# it has signed. They are for tests only. Needs OpenSSL 3.
set -euo pipefail
cd "$(dirname "$0")"
rm -f ./*.pem

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
touch "$work/index"
cat >"$work/ca.cnf" <<CONFIGURATION
[ca]
default_ca = authority
[authority]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = policy
[policy]
commonName = supplied
[authority_certificate]
basicConstraints = critical, CA:TRUE
keyUsage = keyCertSign
CONFIGURATION

# Makes a key: its file, and its curve if not the usual one.
new_key() {
  openssl ecparam -name "${2:-prime256v1}" -genkey -noout |
    openssl pkcs8 -topk8 -nocrypt -out "$1"
}

# Signs a certificate: name of the files, alternative names, first and last day,
# and the curve of its key.
# "openssl ca" takes dates, so that a clock that is behind does not matter.
server() {
  new_key "$1_key.pem" "${5:-prime256v1}"
  printf 'basicConstraints = critical, CA:FALSE\nsubjectAltName = %s\n' "$2" \
    >"$work/extensions"
  openssl req -new -key "$1_key.pem" -subj "/CN=$1" -out "$work/request"
  openssl ca -config "$work/ca.cnf" -batch -notext -in "$work/request" \
    -cert authority.pem -keyfile "$work/authority_key" \
    -extfile "$work/extensions" -startdate "$3" -enddate "$4" -out "$1.pem"
}

new_key "$work/authority_key"
openssl req -new -key "$work/authority_key" -subj "/CN=Test authority" \
  -out "$work/request"
openssl ca -config "$work/ca.cnf" -batch -notext -in "$work/request" \
  -selfsign -keyfile "$work/authority_key" -extensions authority_certificate \
  -startdate 20240101000000Z -enddate 21231231235959Z -out authority.pem

server localhost "DNS:localhost,IP:127.0.0.1" 20240101000000Z 21231231235959Z
server a_test "DNS:a.test" 20240101000000Z 21231231235959Z
server wildcard "DNS:*.example.com" 20240101000000Z 21231231235959Z
server expired "DNS:localhost" 20200101000000Z 20200201000000Z
# A curve that TLS has no signatures for.
server unusable "DNS:localhost" 20240101000000Z 21231231235959Z secp256k1
