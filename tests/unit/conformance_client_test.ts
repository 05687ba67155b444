/**
 * The client that judges all engines must itself refuse what is malformed.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { latin1, type ReceivedResponse } from "../conformance/case.ts";
import { Connection, ExchangeError } from "../conformance/client.ts";

/** What the client makes of bytes after which the connection ends. */
async function read<Result>(
  bytes: string,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using server = await listener.accept();
    await new Blob([latin1(bytes)]).stream().pipeTo(server.writable);
  })();
  const connection = await Connection.open(listener.addr.port);
  try {
    return await use(connection);
  } finally {
    connection.close();
    await serving;
  }
}

function readResponse(bytes: string, head = false): Promise<ReceivedResponse> {
  return read(bytes, (connection) => connection.response(head));
}

const OK = "HTTP/1.1 200 OK\r\n";

type Facts = Partial<Omit<ReceivedResponse, "body">> & { body?: string };

const ACCEPTED: [bytes: string, expected: Facts, head?: boolean][] = [
  [`${OK}Content-Length: 2\r\n\r\nhi`, {
    version: "1.1",
    status: 200,
    reason: "OK",
    headers: [["content-length", "2"]],
    body: "hi",
    framing: "length",
    truncated: false,
  }],
  ["HTTP/1.0 200 \r\n\r\nall", {
    version: "1.0",
    reason: "",
    body: "all",
    framing: "close",
  }],
  [`${OK}Content-Length: 5\r\n\r\nhi`, { body: "hi", truncated: true }],
  [`${OK}Content-Length: 5\r\n\r\n`, { framing: "none", body: "" }, true],
  ["HTTP/1.1 204 No Content\r\n\r\n", { framing: "none", body: "" }],
  ["HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", {
    framing: "none",
    body: "",
  }],
  [
    `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0A\r\n0123456789\r\n0\r\n\r\n`,
    {
      framing: "chunked",
      body: "a0123456789",
      truncated: false,
    },
  ],
  [`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhi`, {
    body: "hi",
    truncated: true,
  }],
  [`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`, {
    body: "hi",
    truncated: true,
  }],
  [`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n`, {
    body: "hi",
    truncated: true,
  }],
  [`${OK}X-A:\r\nX-B: \t b \t \r\nX-C: \xe9\r\nContent-Length: 0\r\n\r\n`, {
    headers: [["x-a", ""], ["x-b", "b"], ["x-c", "\xe9"], [
      "content-length",
      "0",
    ]],
  }],
  // What follows belongs to the next response.
  [`${OK}Content-Length: 2\r\n\r\nhi${OK}`, { body: "hi" }],
];

Deno.test("the client reads what RFC 9112 permits", async () => {
  for (const [bytes, expected, head] of ACCEPTED) {
    const response = await readResponse(bytes, head);
    const received: Record<string, unknown> = {
      ...response,
      body: new TextDecoder().decode(response.body),
    };
    for (const [name, value] of Object.entries(expected)) {
      assertEquals(received[name], value, `${name} of ${bytes}`);
    }
  }
});

const REFUSED: [bytes: string, reason: string, head?: boolean][] = [
  ["", "The connection ended before a status line"],
  ["HTTP/1.1 200 OK", "The connection ended before a status line"],
  [OK, "The connection ended before a field line"],
  ["HTTP/1.1 200\r\n\r\n", "Malformed status line"],
  ["HTTP/1.1  200 OK\r\n\r\n", "Malformed status line"],
  ["HTTP/2.0 200 OK\r\n\r\n", "Malformed status line"],
  ["http/1.1 200 OK\r\n\r\n", "Malformed status line"],
  ["HTTP/1.1 20 OK\r\n\r\n", "Malformed status line"],
  ["HTTP/1.1 099 OK\r\n\r\n", "Malformed status line"],
  ["HTTP/1.1 200 O\0K\r\n\r\n", "Malformed status line"],
  ["\r\nHTTP/1.1 200 OK\r\n\r\n", "Malformed status line"],
  ["HTTP/1.1 200 OK\n\n", "Bare LF in a status line"],
  [`${OK}X-A: b\nX-C: d\r\n\r\n`, "Bare LF in a field line"],
  [`${OK}\n`, "Bare LF in a field line"],
  [`${OK}X-A : b\r\n\r\n`, "Malformed field line"],
  [`${OK} X-A: b\r\n\r\n`, "Malformed field line"],
  [`${OK}X-A: b\r\n c\r\n\r\n`, "Malformed field line"],
  [`${OK}X-A\r\n\r\n`, "Malformed field line"],
  [`${OK}: b\r\n\r\n`, "Malformed field line"],
  [`${OK}X-A: b\rc\r\n\r\n`, "Malformed field line"],
  [`${OK}X-A: b\0\r\n\r\n`, "Malformed field line"],
  [`${OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`, "Repeated"],
  [`${OK}Content-Length: 1, 1\r\n\r\na`, "Malformed Content-Length"],
  [`${OK}Content-Length: +1\r\n\r\na`, "Malformed Content-Length"],
  [`${OK}Content-Length: -1\r\n\r\na`, "Malformed Content-Length"],
  [`${OK}Content-Length: 0x1\r\n\r\na`, "Malformed Content-Length"],
  [`${OK}Content-Length:\r\n\r\na`, "Malformed Content-Length"],
  [`${OK}Content-Length: a\r\n\r\n`, "Malformed Content-Length", true],
  [`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, "Unknown coding"],
  [`${OK}Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n`, "Unknown coding"],
  [
    `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    "Unknown coding",
  ],
  [
    `${OK}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n`,
    "Both Content-Length and Transfer-Encoding",
  ],
  ["HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n", "Framing fields on status"],
  [
    "HTTP/1.1 101 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "Framing fields on status",
  ],
];

const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const REFUSED_CHUNKS: [bytes: string, reason: string][] = [
  ["x\r\n", "Malformed chunk size"],
  ["\r\n", "Malformed chunk size"],
  ["+1\r\na\r\n0\r\n\r\n", "Malformed chunk size"],
  ["0x1\r\na\r\n0\r\n\r\n", "Malformed chunk size"],
  ["1 \r\na\r\n0\r\n\r\n", "Malformed chunk size"],
  ["1;a=b\r\na\r\n0\r\n\r\n", "Malformed chunk size"],
  ["000000001\r\na\r\n0\r\n\r\n", "Malformed chunk size"],
  ["1\na\r\n0\r\n\r\n", "Bare LF in a chunk size"],
  ["1\r\nab\r\n0\r\n\r\n", "Expected CRLF after a chunk"],
  ["1\r\na\n0\r\n\r\n", "Bare LF in the end of a chunk"],
  ["1\r\na\r\n0\r\nX-A: b\r\n\r\n", "Unexpected trailer fields"],
  ["1\r\na\r\n0\r\nX A\r\n\r\n", "Malformed field line"],
];

Deno.test("the client refuses what a proxy might read differently", async () => {
  const chunked = REFUSED_CHUNKS.map(([chunks, reason]) =>
    [CHUNKED + chunks, reason, false] as const
  );
  for (const [bytes, reason, head] of [...REFUSED, ...chunked]) {
    await assertRejects(
      () => readResponse(bytes, head),
      ExchangeError,
      reason,
      bytes,
    );
  }
});

Deno.test("the client reads responses one after the other", async () => {
  const bodies = await read(
    `${OK}Content-Length: 1\r\n\r\na${CHUNKED}1\r\nb\r\n0\r\n\r\n${OK}\r\nc`,
    async (connection) => {
      const bodies: string[] = [];
      for (let count = 0; count < 3; count++) {
        const { body } = await connection.response();
        bodies.push(new TextDecoder().decode(body));
      }
      await connection.closed();
      return bodies;
    },
  );
  assertEquals(bodies, ["a", "b", "c"]);
});

Deno.test("the client refuses more before the connection closes", async () => {
  await assertRejects(
    () =>
      read(`${OK}Content-Length: 1\r\n\r\nab`, async (connection) => {
        await connection.response();
        await connection.closed();
      }),
    ExchangeError,
    'Expected nothing more before the connection closes, got "b"',
  );
});
