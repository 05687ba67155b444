import { assertEquals, assertRejects } from "@std/assert";
import { serve } from "@jstime/serve";
import { engineTest } from "./engines.ts";
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

engineTest("the server name chooses the certificate", async (engine) => {
  await using server = serve({
    ...common,
    engine,
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

engineTest(
  "of two certificates with one name the later is shown",
  async (engine) => {
    await using server = serve({
      ...common,
      engine,
      tls: [
        entry("first", "same.test"),
        entry("second", "other.test"),
        entry("wildcard", "same.test"),
      ],
    });
    assertEquals(await shownCertificate(server.port!, "same.test"), "wildcard");
    assertEquals(await shownCertificate(server.port!, ""), "first");
  },
);

engineTest("a list of one certificate shows it to everyone", async (engine) => {
  const tls = [entry("second", "x.test")];
  await using server = serve({ ...common, engine, tls });
  for (const serverName of ["", "x.test", "y.test"]) {
    assertEquals(await shownCertificate(server.port!, serverName), "second");
  }
});

engineTest("what is empty in a list does not count", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    tls: [{}, entry("second"), {}, entry("first", "first.test")],
  });
  assertEquals(await shownCertificate(server.port!, ""), "second");
  assertEquals(await shownCertificate(server.port!, "first.test"), "first");
});

engineTest("an expired certificate is shown", async (engine) => {
  for (const tls of [entry("expired"), [entry("expired")]]) {
    await using server = serve({ ...common, engine, tls });
    assertEquals(await shownCertificate(server.port!, ""), "expired");
    const error = await assertRejects(() =>
      HttpsConnection.open(server.port!, "expired.test", "expired")
    );
    assertEquals(/expired/i.test(String(error)), true, String(error));
  }
});

engineTest(
  "a client that verifies gets the certificate it expects",
  async (engine) => {
    await using server = serve({
      ...common,
      engine,
      tls: [entry("first"), entry("wildcard", "*.wild.test")],
    });
    await using connection = await HttpsConnection.open(
      server.port!,
      "a.wild.test",
      "wildcard",
    );
    assertEquals(await connection.get("/"), "ok");
  },
);

engineTest("clients choose between HTTP/2 and HTTP/1.1", async (engine) => {
  const lists: [offered: string[], chosen: string | undefined][] = [
    [["h2", "http/1.1"], "h2"],
    [["h2"], "h2"],
    [["http/1.1"], "http/1.1"],
    [[], undefined],
  ];
  for (const tls of [entry("first"), [entry("first")]]) {
    await using server = serve({ ...common, engine, tls, http2: true });
    for (const [offered, chosen] of lists) {
      const { protocol } = await shakeHands(
        server.port!,
        "first.test",
        offered,
      );
      assertEquals(protocol, chosen);
    }
  }
}, (features) => features.http2);

engineTest(
  "clients get HTTP/1.1 where nobody asked for HTTP/2",
  async (engine) => {
    await using server = serve({ ...common, engine, tls: entry("first") });
    const offer = (...protocols: string[]) =>
      shakeHands(server.port!, "first.test", protocols);
    assertEquals((await offer("h2", "http/1.1")).protocol, "http/1.1");
    assertEquals((await offer("http/1.1")).protocol, "http/1.1");
    assertEquals((await offer()).protocol, undefined);
    // RFC 7301, section 3.2.
    await assertRejects(() => offer("h2"), Error, "NoApplicationProtocol");
    // Deno always offers it.
  },
  (features) => features.limits,
);

engineTest("openssl and curl see the same", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    http2: true,
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
  for (const version of ["1.1", "2"]) {
    const text = await run(
      "curl",
      "--silent",
      "--insecure",
      `--http${version}`,
      "--write-out",
      " over %{http_version}",
      `https://${at}/`,
    );
    // Without the program there is nothing to see, and not all speak HTTP/2.
    if (text === undefined || text === "") continue;
    assertEquals(text, `ok over ${version}`);
  }
});
