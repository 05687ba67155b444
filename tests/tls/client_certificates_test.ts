import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { X509Certificate } from "node:crypto";
import { file, serve, type Server } from "@jstime/serve";
import { engineTest } from "./engines.ts";
import { entry } from "./certificates.ts";
import {
  ask,
  clientPair,
  clientPath,
  clientPem,
} from "./client_certificates.ts";
import { HttpsConnection, run } from "./client.ts";

const authority = clientPem("authority");

const common = { port: 0, hostname: "127.0.0.1" };

/** Says what is known of the client. */
function who(request: Request, server: Server): Response {
  const certificate = server.getPeerCertificate(request);
  if (certificate === null) return new Response("nobody");
  const { authorized, authorizationError, subject } = certificate;
  const truth = authorized ? "trusted" : authorizationError?.code;
  return new Response(`${subject.CN}: ${truth}`);
}

const strict = { requestCert: true, ca: authority };
const lenient = { ...strict, rejectUnauthorized: false };

/** Registers a test for engines that can ask for certificates. */
function clientTest(
  name: string,
  fn: (engine: "deno" | "native") => Promise<void>,
): void {
  engineTest(name, fn, (features) => features.httpClientCertificates);
}

clientTest("requestCert lets those in whom ca vouches for", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    tls: { ...entry("first"), ...strict },
    routes: { "/static": new Response("static") },
    fetch: who,
  });
  const port = server.port!;
  for (const as of ["client", "chained"] as const) {
    const { status, content } = await ask(port, { as });
    assertEquals([status, content], [200, `${as}: trusted`]);
  }
  for (
    const [as, code] of [
      [undefined, "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"],
      ["expired", "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED"],
      ["foreign", "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"],
      ["self_signed", "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"],
      ["server_only", "ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"],
    ] as const
  ) {
    const { status } = await ask(port, { as });
    assertEquals(status, code, as);
    // Not even what needs no JavaScript.
    assertEquals((await ask(port, { as, target: "/static" })).status, code);
  }
  assertEquals(server.metrics().requests, 2);
});

clientTest(
  "with rejectUnauthorized false everybody comes in, and the truth is told",
  async (engine) => {
    await using server = serve({
      ...common,
      engine,
      tls: { ...entry("first"), ...lenient },
      fetch: who,
    });
    for (
      const [as, expected] of [
        [undefined, "nobody"],
        ["client", "client: trusted"],
        ["chained", "chained: trusted"],
        ["revoked", "revoked: trusted"],
        ["expired", "expired: CERT_HAS_EXPIRED"],
        ["foreign", "foreign: UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
        ["self_signed", "self signed: DEPTH_ZERO_SELF_SIGNED_CERT"],
        ["server_only", "server only: INVALID_PURPOSE"],
      ] as const
    ) {
      const { status, content } = await ask(server.port!, { as });
      assertEquals([status, content], [200, expected]);
    }
  },
);

clientTest("without ca nobody is trusted", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    tls: { ...entry("first"), requestCert: true, rejectUnauthorized: false },
    fetch: who,
  });
  const { content } = await ask(server.port!, { as: "client" });
  assertEquals(content, "client: UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
});

clientTest("revoked certificates are refused", async (engine) => {
  const crl = clientPem("revocations");
  await using server = serve({
    ...common,
    engine,
    tls: { ...entry("first"), ...strict, crl },
    fetch: who,
  });
  const port = server.port!;
  const revoked = await ask(port, { as: "revoked" });
  assertEquals(revoked.status, "ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED");
  assertEquals((await ask(port, { as: "client" })).content, "client: trusted");
  // Nobody knows whether one of the intermediate authority is.
  assertEquals(typeof (await ask(port, { as: "chained" })).status, "string");
  // A list that should have been replaced says nothing any more.
  server.reload({
    tls: {
      ...entry("first"),
      ...lenient,
      crl: file(clientPath("stale_revocations.pem")),
    },
  });
  const { content } = await ask(port, { as: "client" });
  assertEquals(content, "client: CRL_HAS_EXPIRED");
});

clientTest("what is in a certificate can be asked for", async (engine) => {
  const seen: unknown[] = [];
  await using server = serve({
    ...common,
    engine,
    tls: { ...entry("first"), ...strict },
    fetch(request, server) {
      const certificate = server.getPeerCertificate(request)!;
      const expected = new X509Certificate(clientPem("client"));
      assertEquals(certificate.authorized, true);
      assertEquals(certificate.authorizationError, undefined);
      assertEquals({ ...certificate.subject }, { CN: "client", O: "Clients" });
      assertEquals({ ...certificate.issuer }, { CN: "authority" });
      assertEquals(
        certificate.subjectaltname,
        "DNS:client.test, email:client@client.test",
      );
      assertEquals(certificate.valid_from, expected.validFrom);
      assertEquals(certificate.valid_to, expected.validTo);
      assertEquals(certificate.serialNumber, expected.serialNumber);
      assertEquals(certificate.fingerprint, expected.fingerprint);
      assertEquals(certificate.fingerprint256, expected.fingerprint256);
      assertEquals(certificate.fingerprint512, expected.fingerprint512);
      assertEquals(certificate.raw.equals(expected.raw), true);
      assertEquals(certificate.chain[0], certificate.raw);
      seen.push(certificate);
      return new Response("ok");
    },
  });
  assertEquals((await ask(server.port!, { as: "client" })).content, "ok");
  assertEquals(seen.length, 1);
});

clientTest("after the answer there is no certificate", async (engine) => {
  let kept: Request | undefined;
  await using server = serve({
    ...common,
    engine,
    tls: { ...entry("first"), ...strict },
    fetch(request) {
      kept = request;
      return new Response("ok");
    },
  });
  await ask(server.port!, { as: "client" });
  await server.stop();
  assertEquals(server.getPeerCertificate(kept!), null);
  const request = new Request("https://first.test/");
  assertEquals(server.getPeerCertificate(request), null);
});

clientTest("a WebSocket has the certificate of its request", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    tls: { ...entry("first"), ...strict },
    fetch(request, server) {
      const name = server.getPeerCertificate(request)?.subject.CN as string;
      if (server.upgrade(request, { data: { name } })) return;
      return new Response(null, { status: 400 });
    },
    websocket: {
      data: {} as { name: string },
      open: (socket) => void socket.send(socket.data.name),
    },
  });
  const client = Deno.createHttpClient({
    ...clientPair("client"),
    caCerts: [entry("first").cert],
  });
  const options = { client } as unknown as string[];
  const url = `wss://localhost:${server.port}/`;
  const socket = new WebSocket(url, options);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  socket.onmessage = ({ data }) => resolve(data);
  socket.onerror = reject;
  try {
    assertEquals(await promise, "client");
  } finally {
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
    client.close();
  }
});

/** The first name asks for nothing, the others for more. */
const policies = [
  entry("first", "first.test"),
  { ...entry("second", "second.test"), ...strict },
  { ...entry("wildcard", "*.wild.test"), ...lenient },
];

clientTest("the server name chooses the policy", async (engine) => {
  await using server = serve({ ...common, engine, tls: policies, fetch: who });
  const port = server.port!;
  for (
    const [serverName, as, expected] of [
      ["first.test", undefined, "nobody"],
      ["first.test", "client", "nobody"],
      ["FIRST.test", "foreign", "nobody"],
      ["second.test", "client", "client: trusted"],
      ["second.test", undefined, ""],
      ["second.test", "foreign", ""],
      ["a.wild.test", undefined, "nobody"],
      ["a.wild.test", "client", "client: trusted"],
      ["A.Wild.test", "expired", "expired: CERT_HAS_EXPIRED"],
      ["unknown.test", "client", "nobody"],
    ] as const
  ) {
    const { status, content } = await ask(port, { serverName, as });
    assertEquals(content, expected, `${serverName} ${as} ${status}`);
  }
  const unnamed = await ask(port, { serverName: "", host: "127.0.0.1" });
  assertEquals(unnamed.content, "nobody");
});

clientTest(
  "requests for a name with another policy are misdirected",
  async (engine) => {
    await using server = serve({
      ...common,
      engine,
      tls: policies,
      routes: { "/static": new Response("static") },
      fetch: who,
    });
    const port = server.port!;
    for (
      const [serverName, host, status] of [
        ["first.test", "second.test", 421],
        ["first.test", "second.test:443", 421],
        ["first.test", "SECOND.TEST.", 421],
        ["first.test", "s%65cond.test", 421],
        ["first.test", "a.wild.test", 421],
        ["unknown.test", "second.test", 421],
        ["", "second.test", 421],
        ["", "first.test", 200],
        ["", "[::1]", 200],
        ["unknown.test", "first.test:1", 200],
        ["second.test", "first.test", 421],
        ["second.test", "unknown.test", 421],
        ["second.test", "a.wild.test", 421],
        ["a.wild.test", "b.wild.test", 200],
        ["a.wild.test", "second.test", 421],
      ] as const
    ) {
      for (const target of ["/", "/static"]) {
        const asking = { serverName, host, target, as: "client" } as const;
        const asked = await ask(port, asking);
        assertEquals(asked.status, status, `${serverName} ${host} ${target}`);
      }
    }
    const target = "https://second.test/";
    const absolute = await ask(port, { serverName: "first.test", target });
    assertEquals(absolute.status, 421);
  },
);

clientTest("sessions do not cross policies", async (engine) => {
  await using server = serve({ ...common, engine, tls: policies, fetch: who });
  const port = server.port!;
  const { sessions } = await ask(port, { serverName: "first.test" });
  const session = sessions.at(-1);
  assert(session !== undefined);
  const again = await ask(port, { serverName: "first.test", session });
  assertEquals([again.isResumed, again.content], [true, "nobody"]);
  const other = await ask(port, { serverName: "second.test", session });
  assertEquals([other.isResumed, typeof other.status], [false, "string"]);
  // A certificate is verified every time.
  for (const serverName of ["second.test", "a.wild.test"]) {
    const as = "client";
    const asked = await ask(port, { serverName, as });
    assertEquals(asked.content, "client: trusted");
    const session = asked.sessions.at(-1);
    const later = await ask(port, { serverName, as, session });
    assertEquals([later.isResumed, later.status], [false, 200]);
  }
});

clientTest(
  "reload replaces policies for new connections",
  async (engine) => {
    await using server = serve({
      ...common,
      engine,
      tls: entry("first"),
      fetch: who,
    });
    const port = server.port!;
    await using open = await HttpsConnection.open(port);
    assertEquals(await open.get("/"), "nobody");
    server.reload({ tls: { ...entry("first"), ...strict } });
    assertEquals(await open.get("/"), "nobody");
    assertEquals(typeof (await ask(port)).status, "string");
    const trusted = await ask(port, { as: "client" });
    assertEquals(trusted.content, "client: trusted");
    const ca = clientPem("other_authority");
    server.reload({ tls: { ...entry("first"), ...strict, ca } });
    assertEquals(typeof (await ask(port, { as: "client" })).status, "string");
    const foreign = await ask(port, { as: "foreign" });
    assertEquals(foreign.content, "foreign: trusted");
    // A mistake changes nothing.
    assertThrows(
      () => server.reload({ tls: { ...entry("first"), requestCert: true } }),
      TypeError,
      "tls.requestCert without tls.ca",
    );
    assertEquals((await ask(port, { as: "foreign" })).status, 200);
    server.reload({ tls: entry("first") });
    assertEquals((await ask(port, { as: "client" })).content, "nobody");
    assertEquals(await open.get("/"), "nobody");
  },
);

clientTest("no handshake fails while policies are replaced", async (engine) => {
  const plans = [
    entry("first"),
    { ...entry("first"), ...strict },
    { ...entry("first"), ...lenient },
    [entry("first"), { ...entry("second", "second.test"), ...strict }],
  ];
  await using server = serve({ ...common, engine, tls: plans[0]!, fetch: who });
  const port = server.port!;
  await using open = await HttpsConnection.open(port);
  let isReloading = true;
  const seen = new Set<string>();
  const clients = Array.from({ length: 4 }, async () => {
    while (isReloading) {
      const { status, content } = await ask(port, { as: "client" });
      seen.add(`${status} ${content}`);
    }
  });
  for (let round = 1; round <= 40; round++) {
    server.reload({ tls: plans[round % plans.length]! });
    await ask(port, { as: "client" });
    assertEquals(await open.get("/"), "nobody");
  }
  isReloading = false;
  await Promise.all(clients);
  assertEquals([...seen].sort(), ["200 client: trusted", "200 nobody"]);
});

clientTest("who does not go on with the handshake is cut", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    tls: policies,
    limits: { headTimeout: 1 },
    fetch: who,
  });
  const { port } = server;
  // Not a byte; the beginning of a hello, and no name in it.
  for (const bytes of [[], [22, 3, 1, 0, 200, 1, 0, 0]]) {
    using conn = await Deno.connect({ ...common, port: port! });
    await conn.write(Uint8Array.from(bytes));
    assertEquals(await conn.read(new Uint8Array(1)), null);
  }
  assertEquals(server.metrics().timeouts, 2);
});

clientTest("ca may be a file, bytes or several", async (engine) => {
  const path = clientPath("authority.pem");
  for (
    const ca of [
      file(path),
      Deno.readFileSync(path),
      [clientPem("other_authority"), file(path)],
      clientPem("other_authority") + authority,
    ]
  ) {
    await using server = serve({
      ...common,
      engine,
      tls: { ...entry("first"), ...strict, ca },
      fetch: who,
    });
    const { content } = await ask(server.port!, { as: "client" });
    assertEquals(content, "client: trusted");
  }
});

clientTest("curl shows its certificate", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    tls: { ...entry("first"), ...strict },
    fetch: who,
  });
  const url = `https://localhost:${server.port}/`;
  const curl = (...args: string[]) =>
    run("curl", "-sk", "--noproxy", "*", "--max-time", "20", ...args, url);
  const identity = (name: string) => [
    "--cert",
    clientPath(`${name}.pem`),
    "--key",
    clientPath(`${name}_key.pem`),
  ];
  const trusted = await curl(...identity("client"));
  if (trusted === undefined) return;
  assertEquals(trusted, "client: trusted");
  const older = await curl("--tls-max", "1.2", ...identity("client"));
  assertEquals(older, "client: trusted");
  assertEquals(await curl(), "");
  assertEquals(await curl(...identity("foreign")), "");
  assertEquals(await curl("--tls-max", "1.2", ...identity("expired")), "");
});

clientTest("openssl s_client is asked by name", async (engine) => {
  await using server = serve({ ...common, engine, tls: policies, fetch: who });
  const open = (...name: string[]) =>
    run("openssl", "s_client", "-connect", `127.0.0.1:${server.port}`, ...name);
  const unnamed = await open("-noservername");
  if (unnamed === undefined) return;
  assertStringIncludes(unnamed, "No client certificate CA names sent");
  const named = await open("-servername", "second.test");
  assertStringIncludes(named!, "CN = authority");
  const other = await open("-servername", "first.test");
  assertStringIncludes(other!, "No client certificate CA names sent");
});

const certificates = { cert: entry("first").cert, key: entry("first").key };

Deno.test("client certificates that cannot be verified are refused at once", () => {
  const block = (label: string, content: string) =>
    `-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`;
  const { key } = clientPair("client");
  const secret = key.split("\n")[1]!;
  const cases: [options: Record<string, unknown>, message: string][] = [
    [{}, "tls.requestCert without tls.ca"],
    [{ ca: null }, "tls.requestCert without tls.ca"],
    [{ ca: [] }, "tls.requestCert without tls.ca"],
    [{ ca: "" }, "tls.ca"],
    [{ ca: "/path/to/ca.pem" }, "tls.ca: expected certificates in PEM form"],
    [{ ca: key }, "tls.ca: expected certificates in PEM form"],
    [
      { ca: block("CERTIFICATE", "AAAA") },
      "tls.ca: a certificate is malformed",
    ],
    [{ ca: [authority, 5] }, "tls.ca"],
    [{ ca: authority, crl: authority }, "tls.crl: expected revocation lists"],
    [{ ca: authority, crl: key }, "tls.crl: expected revocation lists"],
    [
      { ca: authority, crl: block("X509 CRL", "AAAA") },
      "tls.crl: a revocation list is malformed",
    ],
    [
      { ca: authority, crl: block("X509 CRL", "!") },
      "tls.crl: a revocation list is malformed",
    ],
    [
      { rejectUnauthorized: false, crl: clientPem("revocations") },
      "tls.crl without tls.ca",
    ],
    [{ requestCert: "yes", ca: authority }, "tls.requestCert"],
  ];
  for (const [options, message] of cases) {
    const error = assertThrows(
      () => {
        const tls = { ...certificates, requestCert: true, ...options };
        serve({ ...common, tls: tls as object, fetch: who }).stop(true);
      },
      TypeError,
      message,
    );
    assertEquals(error.message.includes(secret), false);
  }
  assertThrows(
    () =>
      serve({
        ...common,
        tls: { ...certificates, requestCert: true, ca: file("/nowhere.pem") },
        fetch: who,
      }),
    Error,
    "tls.ca",
  );
});

clientTest("a list that no engine understands is refused", (engine) => {
  // A SEQUENCE, but not of what it should be.
  const crl = "-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n";
  const error = assertThrows(
    () =>
      serve({
        ...common,
        engine,
        tls: { ...certificates, ...strict, crl },
        fetch: who,
      }),
    Error,
    "an authority or a revocation list",
  );
  const { code } = error as Error & { code?: string };
  assertEquals(code, "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM");
  return Promise.resolve();
});

Deno.test("the deno engine says that it cannot ask clients", async () => {
  const tls = { ...certificates, ...strict };
  const error = assertThrows(
    () => serve({ ...common, engine: "deno", tls, fetch: who }),
    Error,
    "tls.requestCert",
  );
  const { code } = error as Error & { code?: string };
  assertEquals(code, "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM");
  // It may still be told whom it would trust.
  await using server = serve({
    ...common,
    engine: "deno",
    tls: [{ ...certificates, ca: authority }],
    fetch: who,
  });
  assertEquals((await ask(server.port!, { as: "client" })).content, "nobody");
  assertThrows(
    () => server.reload({ tls: [tls] }),
    Error,
    "tls.requestCert",
  );
  assertEquals((await ask(server.port!)).content, "nobody");
});

clientTest("auto takes an engine that can ask", async (engine) => {
  await using server = serve({
    ...common,
    engine: "auto",
    tls: { ...certificates, ...strict },
    fetch: who,
  });
  assertEquals(server.engine, engine);
});
