import { assertEquals, assertRejects } from "@std/assert";
import { serve } from "@jstime/serve";
import { entry } from "./certificates.ts";
import {
  HttpsConnection,
  run,
  shakeHands,
  shownCertificate,
} from "./client.ts";

const common = {
  port: 0,
  hostname: "127.0.0.1",
  fetch: () => new Response("ok"),
};

Deno.test("the server name chooses the certificate", async () => {
  await using server = serve({
    ...common,
    tls: [
      entry("first", "first.test"),
      entry("second", ["second.test", "Third.Test"]),
      entry("wildcard", "*.wild.test"),
      entry("expired", "exact.wild.test"),
    ],
  });
  const expected = {
    "": "first",
    "first.test": "first",
    "unknown.test": "first",
    "second.test": "second",
    "SECOND.Test": "second",
    "third.test": "second",
    "a.wild.test": "wildcard",
    "A.Wild.TEST": "wildcard",
    "exact.wild.test": "expired",
    "wild.test": "first",
    "a.b.wild.test": "first",
  };
  for (const [serverName, certificate] of Object.entries(expected)) {
    const shown = await shownCertificate(server.port!, serverName);
    assertEquals([serverName, shown], [serverName, certificate]);
  }
});

Deno.test("of two certificates with one name the later is shown", async () => {
  await using server = serve({
    ...common,
    tls: [
      entry("first", "same.test"),
      entry("second", "other.test"),
      entry("wildcard", "same.test"),
    ],
  });
  assertEquals(await shownCertificate(server.port!, "same.test"), "wildcard");
  assertEquals(await shownCertificate(server.port!, ""), "first");
});

Deno.test("a list of one certificate shows it to everyone", async () => {
  await using server = serve({ ...common, tls: [entry("second", "x.test")] });
  for (const serverName of ["", "x.test", "y.test"]) {
    assertEquals(await shownCertificate(server.port!, serverName), "second");
  }
});

Deno.test("what is empty in a list does not count", async () => {
  await using server = serve({
    ...common,
    tls: [{}, entry("second"), {}, entry("first", "first.test")],
  });
  assertEquals(await shownCertificate(server.port!, ""), "second");
  assertEquals(await shownCertificate(server.port!, "first.test"), "first");
});

Deno.test("an expired certificate is shown", async () => {
  for (const tls of [entry("expired"), [entry("expired")]]) {
    await using server = serve({ ...common, tls });
    assertEquals(await shownCertificate(server.port!, ""), "expired");
    const error = await assertRejects(() =>
      HttpsConnection.open(server.port!, "expired.test", "expired")
    );
    assertEquals(/expired/i.test(String(error)), true, String(error));
  }
});

Deno.test("a client that verifies gets the certificate it expects", async () => {
  await using server = serve({
    ...common,
    tls: [entry("first"), entry("wildcard", "*.wild.test")],
  });
  await using connection = await HttpsConnection.open(
    server.port!,
    "a.wild.test",
    "wildcard",
  );
  assertEquals(await connection.get("/"), "ok");
});

Deno.test("clients choose between HTTP/2 and HTTP/1.1", async () => {
  const lists: [offered: string[], chosen: string | undefined][] = [
    [["h2", "http/1.1"], "h2"],
    [["h2"], "h2"],
    [["http/1.1"], "http/1.1"],
    [[], undefined],
  ];
  for (const tls of [entry("first"), [entry("first")]]) {
    await using server = serve({ ...common, tls });
    for (const [offered, chosen] of lists) {
      const { protocol } = await shakeHands(
        server.port!,
        "first.test",
        offered,
      );
      assertEquals(protocol, chosen);
    }
  }
});

Deno.test("openssl and curl see the same", async () => {
  await using server = serve({
    ...common,
    tls: [entry("first"), entry("second", "second.test")],
  });
  const at = `127.0.0.1:${server.port}`;
  const names: [asked: string[], shown: string][] = [
    [["-servername", "SECOND.test"], "second"],
    [["-servername", "unknown.test"], "first"],
    [["-noservername"], "first"],
  ];
  for (const [asked, shown] of names) {
    const text = await run("openssl", "s_client", "-connect", at, ...asked);
    if (text === undefined) break;
    assertEquals(/^subject=.*CN ?= ?(\w+)/m.exec(text)?.[1], shown);
  }
  for (const version of ["--http1.1", "--http2"]) {
    const text = await run(
      "curl",
      "--silent",
      "--insecure",
      version,
      "--write-out",
      " over %{http_version}",
      `https://${at}/`,
    );
    // Without the program there is nothing to see, and not all speak HTTP/2.
    if (text === undefined || text === "") continue;
    assertEquals(text, `ok over ${version.slice("--http".length)}`);
  }
});
