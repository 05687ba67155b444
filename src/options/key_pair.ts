/**
 * Checks a certificate chain and its private key. No message has any part of
 * a key in it.
 *
 * @module
 */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { TlsPlan } from "../engine/engine.ts";
import { invalidOption } from "./option_error.ts";
import { pemBlocks } from "./pem.ts";

/**
 * Makes what an engine needs from PEM texts: the chain as it is, and the key
 * decrypted, as PKCS #8.
 *
 * @param certText The certificate, then its intermediates.
 * @param keyText The private key: PKCS #8, PKCS #1 or SEC 1.
 * @param passphrase What decrypts the key, if it is encrypted.
 * @param option Name of the option that has them, for messages.
 * @throws {TypeError} If one cannot be read, or they do not belong together.
 */
export function resolveKeyPair(
  certText: string,
  keyText: string,
  passphrase: string | undefined,
  option: string = "tls",
): TlsPlan {
  const certName = `${option}.cert`;
  const keyName = `${option}.key`;
  const blocks = certificateBlocks(certText, certName);
  const [leaf] = blocks.map((block, index) =>
    parseCertificate(block, index, certName)
  );
  const key = parseKey(keyText, passphrase, keyName);
  if (!leaf!.checkPrivateKey(key)) {
    throw invalid(
      `Cannot use ${keyName}: it does not belong to the first certificate in ${certName}`,
    );
  }
  return Object.freeze<TlsPlan>({
    cert: blocks.join(""),
    key: key.export({ type: "pkcs8", format: "pem" }) as string,
  });
}

function certificateBlocks(text: string, name: string): string[] {
  const blocks = pemBlocks(text)
    .filter(({ label }) => label === "CERTIFICATE")
    .map((block) => block.text);
  if (blocks.length > 0) return blocks;
  throw invalid(
    `Cannot use ${name}: expected a certificate in PEM form, not a path to it`,
  );
}

function parseCertificate(
  block: string,
  index: number,
  name: string,
): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    throw invalid(
      `Cannot use ${name}: certificate ${index + 1} is malformed`,
    );
  }
}

function parseKey(
  text: string,
  passphrase: string | undefined,
  name: string,
): KeyObject {
  const block = pemBlocks(text)
    .find(({ label }) => /^([A-Z]+ )?PRIVATE KEY$/.test(label))?.text;
  if (block === undefined) {
    throw invalid(
      `Cannot use ${name}: expected a private key in PEM form, not a path to it`,
    );
  }
  const isEncrypted = /^(-----BEGIN |Proc-Type: *4, *)ENCRYPTED/m.test(block);
  if (isEncrypted && passphrase === undefined) {
    throw invalid(`Cannot use ${name}: it is encrypted, expected passphrase`);
  }
  try {
    return createPrivateKey(
      isEncrypted ? { key: block, passphrase } : block,
    );
  } catch {
    throw invalid(
      isEncrypted
        ? `Cannot decrypt ${name}: the passphrase is wrong or the encryption is not supported`
        : `Cannot use ${name}: the key is malformed or of a kind that is not supported`,
    );
  }
}

function invalid(message: string): TypeError {
  return invalidOption(message, "ERR_INVALID_ARG_VALUE");
}
