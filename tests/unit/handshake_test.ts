import { assertEquals, assertThrows } from "@std/assert";
import {
  handshakeHeaders,
  type HandshakeKind,
  handshakeOf,
} from "../../src/websocket/handshake.ts";

const fields = {
  "upgrade": "websocket",
  "connection": "Upgrade",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
};

function request(
  changes: Record<string, string | undefined> = {},
  method = "GET",
): Request {
  const entries = Object.entries({ ...fields, ...changes })
    .filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new Request("http://localhost/", { method, headers: entries });
}

const kinds: [changes: Record<string, string | undefined>, HandshakeKind][] = [
  [{}, "websocket"],
  [{ upgrade: "h2c,\twebSOCKET" }, "websocket"],
  [{ connection: "keep-alive,upgrade" }, "websocket"],
  [{ upgrade: undefined }, "no websocket"],
  [{ upgrade: "websocket2" }, "no websocket"],
  [{ upgrade: "web socket" }, "no websocket"],
  [{ connection: undefined }, "no websocket"],
  [{ connection: "upgraded" }, "no websocket"],
  [{ "sec-websocket-key": undefined }, "no websocket"],
  [{ "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=" }, "no websocket"],
  [{ "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ===" }, "no websocket"],
  [{ "sec-websocket-key": "dGhlIHNhbXBs*SBub25jZQ==" }, "no websocket"],
  [{ "sec-websocket-version": undefined }, "other version"],
  [{ "sec-websocket-version": "013" }, "other version"],
  [{ "sec-websocket-version": "14" }, "other version"],
  [
    { "sec-websocket-version": "8", "sec-websocket-key": "x" },
    "no websocket",
  ],
];

for (const [changes, kind] of kinds) {
  Deno.test(`handshakeOf: ${JSON.stringify(changes)} is ${kind}`, () => {
    assertEquals(handshakeOf(request(changes)), kind);
  });
}

Deno.test("handshakeOf: only GET", () => {
  for (const method of ["HEAD", "POST", "OPTIONS"]) {
    assertEquals(handshakeOf(request({}, method)), "no websocket");
  }
});

Deno.test("handshakeHeaders accepts the first subprotocol, if it is one", () => {
  const chosen = (offered: string | undefined) =>
    handshakeHeaders(
      request({ "sec-websocket-protocol": offered }),
      undefined,
      [],
    ).get("sec-websocket-protocol");
  assertEquals(chosen(undefined), null);
  assertEquals(chosen("chat"), "chat");
  assertEquals(chosen(" chat ,super"), "chat");
  assertEquals(chosen(", ,chat"), "chat");
  assertEquals(chosen("a b, chat"), null);
  assertEquals(chosen(","), null);
});

Deno.test("handshakeHeaders leaves the handshake to the handshake", () => {
  const headers = handshakeHeaders(
    request({ "sec-websocket-protocol": "chat" }),
    {
      "Upgrade": "x",
      "Connection": "x",
      "Sec-WebSocket-Accept": "x",
      "Sec-WebSocket-Extensions": "x",
      "Content-Length": "1",
      "Transfer-Encoding": "chunked",
      "Sec-WebSocket-Protocol": "own",
      "X-Own": "kept",
    },
    ["a=1", "b=2"],
  );
  assertEquals([...headers], [
    ["sec-websocket-protocol", "own"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
    ["x-own", "kept"],
  ]);
});

Deno.test("handshakeHeaders refuses what is no header", () => {
  assertThrows(
    () => handshakeHeaders(request(), { "x-a": "b\r\nc: d" }, []),
    TypeError,
  );
});
