#!/usr/bin/env bash
# Makes the certificates and keys in this folder. They are for tests only, sign
# themselves, and are valid from 2020 to 2123, but for the expired one. Needs
# OpenSSL 3.
set -euo pipefail
cd "$(dirname "$0")"
rm -f ./*.pem

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
touch "$work/index"

# Name of the files and the subject, its names, then when it ends.
certify() {
  cat >"$work/ca.cnf" <<CONFIGURATION
[ca]
default_ca = authority
[authority]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = default
policy = policy
[policy]
commonName = supplied
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = $2
CONFIGURATION
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 \
    -out "$1_key.pem"
  openssl req -new -key "$1_key.pem" -subj "/CN=$1" -out "$work/request"
  openssl ca -config "$work/ca.cnf" -batch -notext -in "$work/request" \
    -startdate 20200101000000Z -enddate "$3" -extensions server \
    -selfsign -keyfile "$1_key.pem" -out "$1_cert.pem"
}

certify first "DNS:localhost, DNS:first.test, IP:127.0.0.1" 21231231235959Z
certify second "DNS:localhost, DNS:second.test" 21231231235959Z
certify wildcard "DNS:*.wild.test" 21231231235959Z
certify expired "DNS:localhost, DNS:expired.test" 20210101000000Z

openssl dhparam -out dh_parameters.pem 1024
