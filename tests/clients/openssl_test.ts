import { assert, assertEquals } from "@std/assert";
import { serve } from "@jstime/serve";
import { entry } from "../tls/certificates.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { found, runProgram } from "./run_program.ts";

const ignore = !await found("openssl");
const note = ignore ? " [skipped: there is no openssl]" : "";

/** What `openssl s_client` tells of a handshake, and of one request. */
async function connect(port: number, ...args: string[]): Promise<string> {
  const { text, errors } = await runProgram(
    "openssl",
    ["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", ...args],
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  );
  return text + errors;
}

const common = {
  port: 0,
  hostname: "127.0.0.1",
  fetch: () => new Response("answered"),
};

testOnEngines(
  "openssl: with and without a server name" + note,
  async ({ name: engine }) => {
    await using server = serve({
      ...common,
      engine,
      tls: [
        entry("first", "first.test"),
        entry("second", "second.test"),
        entry("wildcard", "*.wild.test"),
      ],
    });
    const shown: [args: string[], certificate: string][] = [
      [["-noservername"], "first"],
      [["-servername", "first.test"], "first"],
      [["-servername", "second.test"], "second"],
      [["-servername", "a.wild.test"], "wildcard"],
      [["-servername", "unknown.test"], "first"],
      [["-servername", "second.test", "-tls1_2"], "second"],
      [["-noservername", "-tls1_2"], "first"],
    ];
    for (const [args, certificate] of shown) {
      const text = await connect(server.port!, ...args);
      const [, name] = /^subject=.*CN *= *(\S+)/m.exec(text) ?? [];
      assertEquals([args, name], [args, certificate], text);
      assert(text.includes("answered"), text);
    }
  },
  { ignore },
);

testOnEngines(
  "openssl: what TLS 1.1 and unknown protocols get" + note,
  async ({ name: engine }) => {
    await using server = serve({ ...common, engine, tls: entry("first") });
    const old = await connect(
      server.port!,
      ...["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    );
    assert(!old.includes("answered"), old);
    // Those that offer nothing that is spoken are told so.
    const odd = await connect(server.port!, "-alpn", "spdy/3");
    assert(!odd.includes("answered"), odd);
    const both = await connect(server.port!, "-alpn", "http/1.1,spdy/3");
    assert(both.includes("ALPN protocol: http/1.1"), both);
    assert(both.includes("answered"), both);
  },
  { ignore },
);

testOnEngines(
  "openssl: a session resumes" + note,
  async ({ name: engine }) => {
    await using server = serve({ ...common, engine, tls: entry("first") });
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const path = await Deno.makeTempFile();
      try {
        const first = await connect(server.port!, version, "-sess_out", path);
        assert(first.includes("New, TLSv1"), first);
        const second = await connect(server.port!, version, "-sess_in", path);
        assert(second.includes("Reused, TLSv1"), second);
        assert(second.includes("answered"), second);
      } finally {
        await Deno.remove(path);
      }
    }
  },
  { ignore },
);
