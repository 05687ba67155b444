/**
 * Certificates of clients whose requests share a connection.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { serve, type Server } from "@jstime/serve";
import { entry } from "../tls/certificates.ts";
import { clientPath, clientPem } from "../tls/client_certificates.ts";
import { run } from "../tls/client.ts";
import { engineTest } from "../tls/engines.ts";
import { Http2Client } from "./client.ts";

const strict = { requestCert: true, ca: clientPem("authority") };

const policies = [
  entry("first", "first.test"),
  { ...entry("second", "second.test"), ...strict },
];

function who(request: Request, server: Server): Response {
  const certificate = server.getPeerCertificate(request);
  return new Response(certificate?.subject.CN as string ?? "nobody");
}

const hasCurl = await run("curl", "--version") !== undefined;

function curlTest(name: string, fn: (server: Server) => Promise<void>): void {
  if (!hasCurl) {
    return Deno.test.ignore(`${name} [skipped: curl is missing]`, () => {});
  }
  engineTest(
    name,
    async (engine) => {
      await using server = serve({
        port: 0,
        hostname: "127.0.0.1",
        engine,
        http2: true,
        tls: policies,
        routes: { "/static": new Response("static") },
        fetch: who,
      });
      await fn(server);
    },
    (features) => features.httpClientCertificates && features.http2,
  );
}

/** Version, status and content of an answer to a client that has a certificate. */
function ask(
  { port }: Server,
  name: string,
  host: string,
  path = "/",
): Promise<string | undefined> {
  return run(
    "curl",
    ...["-sk", "--noproxy", "*", "--max-time", "20", "--http2"],
    ...["--resolve", `${name}:${port}:127.0.0.1`, "-H", `Host: ${host}`],
    ...["--cert", clientPath("client.pem")],
    ...["--key", clientPath("client_key.pem")],
    ...["-w", " HTTP/%{http_version} %{http_code}"],
    `https://${name}:${port}${path}`,
  );
}

curlTest("HTTP/2: handlers see the client's certificate", async (server) => {
  assertEquals(
    await ask(server, "second.test", "second.test"),
    "client HTTP/2 200",
  );
  assertEquals(
    await ask(server, "first.test", "first.test"),
    "nobody HTTP/2 200",
  );
});

curlTest("HTTP/2: a name with another policy gets 421", async (server) => {
  for (const path of ["/", "/static"]) {
    assertEquals(
      await ask(server, "first.test", "second.test", path),
      " HTTP/2 421",
    );
    assertEquals(
      await ask(server, "second.test", "unknown.test", path),
      " HTTP/2 421",
    );
  }
});

engineTest(
  "HTTP/2: each stream of a connection is judged by itself",
  async (engine) => {
    await using server = serve({
      port: 0,
      hostname: "127.0.0.1",
      engine,
      http2: true,
      tls: policies,
      fetch: who,
    });
    await using client = new Http2Client(`https://127.0.0.1:${server.port}`, {
      servername: "first.test",
    });
    const statuses = ["first.test", "second.test", "first.test"]
      .map((name) => client.fetch("/", { ":authority": name }));
    assertEquals(
      (await Promise.all(statuses)).map(({ status }) => status),
      [200, 421, 200],
    );
  },
  (features) => features.httpClientCertificates && features.http2,
);
