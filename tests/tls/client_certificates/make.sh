#!/usr/bin/env bash
# Makes the certificates of clients in this folder, their keys, two authorities
# that have signed them, and a list of those revoked. They are for tests only
# and valid from 2020 to 2123, but for the expired one. Needs OpenSSL 3.
set -euo pipefail
cd "$(dirname "$0")"
rm -f ./*.pem

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

configure() {
  touch "$work/$1_index"
  cat >"$work/$1.cnf" <<CONFIGURATION
[ca]
default_ca = authority
[authority]
database = $work/$1_index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = policy
crl_extensions = list
[policy]
commonName = supplied
organizationName = optional
[list]
authorityKeyIdentifier = keyid
[authority_extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[client]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = DNS:client.test, email:client@client.test
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
CONFIGURATION
}

# Name of the files, subject, issuer, extensions, then when it ends.
certify() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 \
    -out "$work/$1_key.pem"
  openssl req -new -key "$work/$1_key.pem" -subj "$2" -out "$work/request"
  local signer=(-keyfile "$work/$3_key.pem" -cert "$work/$3.pem")
  if [ "$1" = "$3" ]; then signer=(-selfsign -keyfile "$work/$1_key.pem"); fi
  configure "$3"
  openssl ca -config "$work/$3.cnf" -batch -notext -in "$work/request" \
    -rand_serial -startdate 20200101000000Z -enddate "$5" -extensions "$4" \
    "${signer[@]}" -out "$work/$1.pem"
}

end=21231231235959Z
certify authority "/CN=authority" authority authority_extensions $end
certify other_authority "/CN=other authority" other_authority \
  authority_extensions $end
certify intermediate "/CN=intermediate" authority authority_extensions $end
certify client "/CN=client/O=Clients" authority client $end
certify chained "/CN=chained" intermediate client $end
certify revoked "/CN=revoked" authority client $end
certify expired "/CN=expired" authority client 20210101000000Z
certify foreign "/CN=foreign" other_authority client $end
certify self_signed "/CN=self signed" self_signed client $end
certify server_only "/CN=server only" authority server $end
cat "$work/intermediate.pem" >>"$work/chained.pem"

revoke() {
  openssl ca -config "$work/authority.cnf" -keyfile "$work/authority_key.pem" \
    -cert "$work/authority.pem" "$@"
}
revoke -revoke "$work/revoked.pem"
revoke -gencrl -crl_lastupdate 20200101000000Z \
  -crl_nextupdate 21231231235959Z -out "$work/revocations.pem"
revoke -gencrl -crl_lastupdate 20200101000000Z \
  -crl_nextupdate 20210101000000Z -out "$work/stale_revocations.pem"

for name in client chained revoked expired foreign self_signed server_only; do
  cp "$work/$name.pem" "$work/${name}_key.pem" .
done
cp "$work/authority.pem" "$work/other_authority.pem" \
  "$work/revocations.pem" "$work/stale_revocations.pem" .
