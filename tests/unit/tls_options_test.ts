import {
  assert,
  assertEquals,
  assertFalse,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { TlsPlan } from "../../src/engine/engine.ts";
import { file } from "../../src/file.ts";
import { resolveHttpOptions } from "../../src/options/http_options.ts";
import {
  resolveHttpTls,
  resolveTls,
  tlsCertificates,
} from "../../src/options/tls_options.ts";

const folder = new URL("../fixtures/tls/", import.meta.url);
const read = (name: string) => Deno.readTextFileSync(new URL(name, folder));
const pathOf = (name: string) => new URL(name, folder).pathname;
const bytesOf = (text: string) => new TextEncoder().encode(text);

const cert = read("cert.pem");
const key = read("key.pem");
const leafCert = read("leaf_cert.pem");
const leafKey = read("leaf_key.pem");
const intermediateCert = read("intermediate_cert.pem");
const passphrase = "correct horse";

/** Serves with a plan and fetches from it with verification. */
async function serves(plan: TlsPlan | undefined, trusted: string) {
  assert(plan);
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, ...plan },
    () => new Response("ok"),
  );
  using client = Deno.createHttpClient({ caCerts: [trusted] });
  const url = `https://localhost:${server.addr.port}/`;
  const response = await fetch(url, { client });
  assertEquals(await response.text(), "ok");
}

Deno.test("resolveTls reads text, bytes, files and arrays of them", () => {
  const expected = { cert, key };
  const binary = bytesOf(`  ${key}`);
  const forms: Record<string, unknown>[] = [
    { cert, key },
    { cert: bytesOf(cert), key: bytesOf(key) },
    { cert: bytesOf(cert).buffer, key: new DataView(bytesOf(key).buffer) },
    { cert, key: binary.subarray(2) },
    {
      cert: file(pathOf("cert.pem")),
      key: file(new URL("key.pem", folder)),
    },
    { cert: [cert], key: [bytesOf(key)] },
    { cert: cert.replaceAll("\n", "\r\n").trim(), key },
    { cert: `\ufeffSubject: x\n${cert}\nrest`, key: `comment\n${key}` },
    { cert: cert + key, key: cert + key },
    { cert, key, passphrase: "not needed" },
    { cert, key: read("key_sec1.pem") },
    { cert, key: read("key_encrypted.pem"), passphrase },
    { cert, key: read("key_encrypted_legacy.pem"), passphrase },
    { cert: [leafCert, cert], key: [leafKey, key] }, // the last pair counts
  ];
  for (const options of forms) {
    const plan = resolveTls(options);
    assertEquals(
      plan && { ...plan, cert: plan.cert.replaceAll("\r", "") },
      expected,
    );
    assert(Object.isFrozen(plan));
  }
});

Deno.test("resolveTls makes a chain of several certificates", async () => {
  const chain = leafCert + intermediateCert;
  const forms = [chain, [leafCert, intermediateCert], [
    leafCert.trim(),
    bytesOf(intermediateCert),
  ]];
  for (const form of forms) {
    const plan = resolveTls({ cert: form, key: [leafKey] });
    assertEquals(plan?.cert, chain);
    await serves(plan, read("root_cert.pem"));
  }
});

Deno.test("what resolveTls makes can be served with", async () => {
  const pairs = [
    ["cert.pem", "key.pem"],
    ["cert.pem", "key_encrypted.pem"],
    ["cert.pem", "key_encrypted_legacy.pem"],
    ["rsa_cert.pem", "rsa_key_pkcs1.pem"],
    ["ed25519_cert.pem", "ed25519_key.pem"],
  ] as const;
  for (const [certName, keyName] of pairs) {
    const plan = resolveTls({
      cert: read(certName),
      key: read(keyName),
      passphrase,
    });
    await serves(plan, read(certName));
  }
});

Deno.test("resolveHttpTls takes everything absent for no TLS", () => {
  const absent = [
    undefined,
    null,
    false,
    {},
    [],
    [{}],
    { cert: undefined, key: undefined, passphrase: undefined },
    { cert: null, key: null, ca: undefined, requestCert: false },
    { cert: [], key: [] },
  ];
  for (const tls of absent) assertEquals(resolveHttpTls(tls), undefined);
  assertEquals(
    resolveHttpOptions({ tls: {}, fetch: () => {} }).listen.tls,
    undefined,
  );
});

Deno.test("resolveTls accepts options that change nothing", () => {
  const plan = resolveTls({
    cert,
    key,
    serverName: "localhost",
    servername: null,
    requestCert: false,
    rejectUnauthorized: false,
    ca: [read("root_cert.pem")],
    crl: null,
    lowMemoryMode: true,
    secureOptions: 0,
    dhParamsFile: pathOf("../../tls/certificates/dh_parameters.pem"),
    ciphers: "HIGH",
    ALPNProtocols: "http/1.1",
    clientRenegotiationLimit: 3,
    clientRenegotiationWindow: undefined,
    unknown: 5,
  });
  assertEquals(plan, { cert, key });
});

Deno.test("resolveTls refuses what is wrong and shows no secret", () => {
  const encrypted = read("key_encrypted.pem");
  const legacy = read("key_encrypted_legacy.pem");
  const broken = key.replace(/\n.{8}/, "\nAAAAAAAA");
  const junkFile = pathOf("cert.pem");
  const cases: [unknown, inMessage: string][] = [
    [5, "tls"],
    [true, "tls"],
    [key, "tls"],
    [[null], "tls[0]"],
    [[{ cert, key }, { cert, key }], "tls[1] without serverName"],
    [[{}, { cert, key }, { cert, key, serverName: "" }], "tls[2] without"],
    [[{ cert, key }, { cert, key, serverName: [] }], "tls[1] without"],
    [[{ cert, key }, { key, serverName: "a" }], "tls[1].cert"],
    [[{ cert, key }, { cert, key: leafKey, serverName: "a" }], "tls[1].key"],
    [{ cert }, "tls.key"],
    [{ key }, "tls.cert"],
    [{ cert, key: [] }, "tls.key"],
    [{ serverName: "localhost" }, "tls.cert"],
    [{ passphrase }, "tls.cert"],
    [{ cert, key: "" }, "tls.key"],
    [{ cert, key: "junk" }, "tls.key"],
    [{ cert, key: pathOf("key.pem") }, "not a path"],
    [{ cert: pathOf("cert.pem"), key }, "not a path"],
    [{ cert: "junk", key }, "tls.cert"],
    [{ cert: key, key }, "tls.cert"],
    [{ cert, key: cert }, "tls.key"],
    [{ cert: cert.replace(/\n.{8}/, "\nAAAAAAAA"), key }, "malformed"],
    [{ cert: cert + cert.replace(/\n.{8}/, "\n"), key }, "certificate 2"],
    [{ cert, key: broken }, "malformed"],
    [{ cert, key: leafKey }, "does not belong"],
    [{ cert: intermediateCert + leafCert, key: leafKey }, "does not belong"],
    [{ cert, key: encrypted }, "expected passphrase"],
    [{ cert, key: legacy }, "expected passphrase"],
    [{ cert, key: encrypted, passphrase: "wrong" }, "Cannot decrypt tls.key"],
    [{ cert, key: encrypted, passphrase: "" }, "Cannot decrypt tls.key"],
    [{ cert, key: legacy, passphrase: "wrong" }, "Cannot decrypt tls.key"],
    [{ cert: [cert], key: [key, leafKey] }, "1 certificates and 2 keys"],
    [{ cert, key: 5 }, "tls.key"],
    [{ cert, key: {} }, "tls.key"],
    [{ cert, key: [null] }, "tls.key"],
    [{ cert, key: new Blob([key]) }, "tls.key"],
    [{ cert, key: new File([key], "key.pem") }, "tls.key"],
    [{ cert, key, passphrase: 5 }, "tls.passphrase"],
    [{ cert, key, serverName: 5 }, "tls.serverName"],
    [{ cert, key, servername: 5 }, "tls.servername"],
    [{ cert, key, serverName: ["a.test", null] }, "tls.serverName"],
    [{ cert, key, serverName: "a.test:443" }, "tls.serverName"],
    [{ cert, key, serverName: "a b" }, "tls.serverName"],
    [{ cert, key, serverName: "a*.test" }, "tls.serverName"],
    [{ cert, key, serverName: "*" }, "tls.serverName"],
    [{ cert, key, requestCert: true }, "tls.requestCert without tls.ca"],
    [{ cert, key, requestCert: "yes" }, "tls.requestCert"],
    [{ cert, key, rejectUnauthorized: 1 }, "tls.rejectUnauthorized"],
    [{ cert, key, ca: 5 }, "tls.ca"],
    [{ cert, key, crl: [5] }, "tls.crl"],
    [{ cert, key, lowMemoryMode: "x" }, "tls.lowMemoryMode"],
    [{ cert, key, secureOptions: "x" }, "tls.secureOptions"],
    [{ cert, key, dhParamsFile: 5 }, "tls.dhParamsFile"],
    [{ cert, key, dhParamsFile: junkFile }, "DH PARAMETERS"],
    [{ cert, key, ciphers: [] }, "tls.ciphers"],
    [{ cert, key, ALPNProtocols: ["h2"] }, "tls.ALPNProtocols"],
  ];
  const secrets = [key, leafKey, encrypted, legacy].map((text) =>
    text.split("\n").at(-3)!
  );
  for (const [tls, inMessage] of cases) {
    const error = assertThrows(() => resolveHttpTls(tls), TypeError);
    assertStringIncludes(error.message, inMessage);
    const { code } = error as Error & { code?: string };
    assert(
      code === "ERR_INVALID_ARG_TYPE" || code === "ERR_INVALID_ARG_VALUE",
      code,
    );
    const shown = Deno.inspect(error);
    for (const secret of secrets) assertFalse(shown.includes(secret), shown);
    assertFalse(shown.includes("BEGIN"), shown);
  }
});

Deno.test("resolveHttpTls has a certificate for each name", () => {
  const leaf = resolveTls({ cert: leafCert, key: leafKey })!;
  const plan = resolveHttpTls([
    { cert, key },
    { ...leaf, serverName: ["a.test", "*.B.test", ""] },
    {},
    { cert, key, servername: "c.test", serverName: null },
  ]);
  assert(plan);
  assert(Object.isFrozen(plan) && Object.isFrozen(plan.certificates));
  assertEquals(plan, {
    isList: true,
    certificates: [
      { cert, key, serverName: undefined },
      { ...leaf, serverName: "a.test" },
      { ...leaf, serverName: "*.B.test" },
      { cert, key, serverName: "c.test" },
    ],
  });
  assertEquals(resolveHttpTls({ cert, key, serverName: "127.0.0.1" }), {
    isList: false,
    certificates: [{ cert, key, serverName: "127.0.0.1" }],
  });
  assertEquals(tlsCertificates([{ cert, key, serverName: "::1" }]), [
    { cert, key, serverName: undefined },
  ]);
});

Deno.test("dhParamsFile must hold Diffie-Hellman parameters", () => {
  const path = Deno.makeTempFileSync();
  const good = Deno.readTextFileSync(
    pathOf("../../tls/certificates/dh_parameters.pem"),
  );
  const pem = (bytes: number[]) =>
    `-----BEGIN DH PARAMETERS-----\n${
      btoa(String.fromCharCode(...bytes))
    }\n-----END DH PARAMETERS-----\n`;
  const prime = [2, 1, 23];
  const base = [2, 1, 5];
  const bits = [2, 1, 4];
  const cases: [text: string, isGood: boolean][] = [
    [good, true],
    [`Comment\n${good}`, true],
    [pem([48, 6, ...prime, ...base]), true],
    [pem([48, 0x81, 9, ...prime, ...base, ...bits]), true],
    ["", false],
    [good.replaceAll("DH PARAMETERS", "X9.42 DH PARAMETERS"), false],
    [good.replace(/\n.{20}/, "\n"), false],
    [good.replace(/\n./, "\n*"), false],
    [pem([]), false],
    [pem([48, 3, ...prime]), false],
    [pem([48, 12, ...prime, ...base, ...bits, ...bits]), false],
    [pem([48, 6, ...prime, ...base, 0]), false],
    [pem([48, 6, ...prime, 4, 1, 5]), false],
    [pem([48, 7, ...prime, ...base]), false],
    [pem([48, 0xff, ...prime, ...base]), false],
    [pem([48, 5, ...prime, 2, 0]), false],
  ];
  try {
    for (const [text, isGood] of cases) {
      Deno.writeTextFileSync(path, text);
      const options = { cert, key, dhParamsFile: path };
      if (isGood) resolveTls(options);
      else assertThrows(() => resolveTls(options), TypeError, "DH PARAMETERS");
    }
  } finally {
    Deno.removeSync(path);
  }
  const error = assertThrows(
    () => resolveTls({ cert, key, dhParamsFile: "/nowhere.pem" }),
    Error,
    "Cannot read tls.dhParamsFile from a file",
  );
  assertEquals((error as Error & { code?: string }).code, "ENOENT");
});

Deno.test("resolveTls says which file cannot be read", () => {
  for (const option of ["cert", "key", "ca"]) {
    const missing = file("/nowhere/missing.pem");
    const error = assertThrows(
      () => resolveHttpTls({ cert, key, [option]: missing }),
      Error,
      `Cannot read tls.${option} from a file`,
    );
    assertStringIncludes(error.message, "/nowhere/missing.pem");
    assertEquals((error as Error & { code?: string }).code, "ENOENT");
  }
});
