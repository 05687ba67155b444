import { assertEquals } from "@std/assert";
import { POLICY_REQUIRED } from "../../src/engine/native/abi.ts";
import { decodePeerCertificate } from "../../src/engine/native/peer_certificate.ts";
import { encodeCertificates } from "../../src/engine/native/tls_certificates.ts";

/** Words, then texts, as they are in memory. */
function bytesOf(
  ...parts: (number | string)[]
): Uint8Array<ArrayBuffer> {
  const bytes = parts.flatMap((part) =>
    typeof part === "string"
      ? [...new TextEncoder().encode(part)]
      : [...new Uint8Array(Uint32Array.of(part).buffer)]
  );
  return Uint8Array.from(bytes);
}

Deno.test("policies for clients stand behind the certificates", () => {
  const pair = { cert: "chain", key: "key" };
  const open = { ...pair, serverName: "A.test" };
  const strict = {
    ...pair,
    serverName: "*.b.test",
    clients: { isRequired: true, authorities: ["ca", "s"], revocations: ["r"] },
  };
  const lenient = {
    ...pair,
    serverName: undefined,
    clients: { isRequired: false, authorities: [], revocations: [] },
  };
  const pairs = [6, 5, 3, 8, 5, 3];
  const texts = "a.testchainkey*.b.testchainkey";
  const encode = (...certificates: [typeof open, ...typeof strict[]]) =>
    encodeCertificates({ certificates, isList: true });
  assertEquals(
    encode(open, { ...strict, clients: undefined } as never),
    bytesOf(2, ...pairs, texts),
  );
  assertEquals(
    encode(open, strict),
    bytesOf(2, ...pairs, texts, 0, 12, POLICY_REQUIRED, 3, "casr"),
  );
  assertEquals(
    encode(lenient as never),
    bytesOf(1, 0, 5, 3, "chainkey", 8, 0, 0),
  );
});

Deno.test("what the helper knows of a client is read", () => {
  assertEquals(decodePeerCertificate(bytesOf(0, 1, 3, "own")), {
    chain: [bytesOf("own")],
    objection: undefined,
  });
  assertEquals(
    decodePeerCertificate(bytesOf(4, 2, 3, 6, "CODE", "own", "issuer")),
    { chain: [bytesOf("own"), bytesOf("issuer")], objection: "CODE" },
  );
  assertEquals(decodePeerCertificate(bytesOf(0, 0)), undefined);
});
