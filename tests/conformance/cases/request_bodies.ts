import {
  ask,
  type CaseOptions,
  type CaseRequest,
  type ConformanceCase,
  lines,
  request,
  type Step,
  table,
} from "../case.ts";

/** Answers with the body as text. */
const echo = (): CaseOptions => ({
  routes: { "/route": async (request) => new Response(await request.text()) },
  fetch: async (request) => new Response(await request.text()),
});

const chunkedHead = (path: string) =>
  lines(
    `POST ${path} HTTP/1.1`,
    "Host: localhost",
    "Transfer-Encoding: chunked",
    "",
  );

const chunkedBodies: [name: string, bytes: string, body: string][] = [
  ["one chunk", lines("5", "hello", "0", ""), "hello"],
  ["several chunks", lines("1", "h", "2", "el", "2", "lo", "0", ""), "hello"],
  ["no chunk", lines("0", ""), ""],
  ["sizes in capitals", lines("A", "0123456789", "0", ""), "0123456789"],
  ["leading zeros", lines("0005", "hello", "000", ""), "hello"],
  ["an extension", lines("5;a=b", "hello", "0;c", ""), "hello"],
  ["a quoted extension", lines('5;a="b"', "hello", "0", ""), "hello"],
  ["line breaks in the data", lines("4", "\r\n\r\n", "0", ""), "\r\n\r\n"],
  [
    "a request in the data",
    lines("12", "GET / HTTP/1.1\r\n\r\n", "0", ""),
    "GET / HTTP/1.1\r\n\r\n",
  ],
];

/** Ways to read one body, and what each makes of it. */
const readers: [
  name: string,
  read: (request: CaseRequest) => Promise<string>,
][] = [
  ["text()", (request) => request.text()],
  ["json()", async (request) => JSON.stringify(await request.json())],
  [
    "arrayBuffer()",
    async (request) => new TextDecoder().decode(await request.arrayBuffer()),
  ],
  [
    "bytes()",
    async (request) => new TextDecoder().decode(await request.bytes()),
  ],
  ["blob()", async (request) => await (await request.blob()).text()],
  ["body", async (request) => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of request.body!) {
      text += decoder.decode(chunk, { stream: true });
    }
    return text;
  }],
  ["a reader of body", async (request) => {
    const reader = request.body!.getReader();
    let text = "";
    while (true) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += new TextDecoder().decode(value);
    }
  }],
  ["new Response(body)", (request) => new Response(request.body).text()],
];

const allBytes = Uint8Array.from({ length: 256 }, (_, index) => index);

const json = '{"a":[1,"b"]}';

const multipart = lines(
  "--X",
  'Content-Disposition: form-data; name="__proto__"',
  "",
  "value",
  "--X",
  'Content-Disposition: form-data; name="file"; filename="a.txt"',
  "Content-Type: text/plain",
  "",
  "content",
  "--X--",
);

export const cases: ConformanceCase[] = [
  ...table(readers, ([name, read]) => ({
    name: `${name} reads a body, in fetch and in routes`,
    server: () => {
      const answer = async (request: CaseRequest) =>
        new Response(await read(request));
      return { routes: { "/route": answer }, fetch: answer };
    },
    exchange: ["/route", "/fetch"].map((path): Step[] => [
      ...ask(`POST ${path}`, { status: 200, body: json }, { body: json }),
      { send: chunkedHead(path) + lines("d", json, "0", "") },
      { receive: { status: 200, body: json } },
    ]),
  })),
  ...table(chunkedBodies, ([name, bytes, body]) => ({
    name: `chunked: ${name}`,
    server: echo,
    exchange: [
      { send: chunkedHead("/") + bytes },
      { receive: { status: 200, body } },
      // The chunks ended where they should.
      ask("POST /", { status: 200, body: "next" }, { body: "next" }),
    ],
  })),
  {
    name: "chunked: trailers are dropped, never merged into the headers",
    server: () => ({
      fetch: async (request) => {
        const body = await request.text();
        return Response.json([body, request.headers.get("x-trailer")]);
      },
    }),
    exchange: [
      {
        send: chunkedHead("/") +
          lines("5", "hello", "0", "X-Trailer: a", "Host: other", ""),
      },
      { receive: { status: 200, body: '["hello",null]' } },
    ],
  },
  {
    name: "a body is understood however it is cut",
    server: echo,
    exchange: [
      { send: request("POST /", { body: "hello" }) + request("POST /") },
      { receive: { status: 200, body: "hello" } },
      { receive: { status: 200, body: "" } },
    ],
    replay: true,
  },
  {
    name: "a chunked body is understood however it is cut",
    server: echo,
    exchange: [
      {
        send: chunkedHead("/route") + lines("3;x", "abc", "2", "de", "0", ""),
      },
      { receive: { status: 200, body: "abcde" } },
    ],
    replay: true,
  },
  {
    name: "a mebibyte comes back",
    server: echo,
    exchange: [
      ask("POST /", { status: 200, body: "x".repeat(1_048_576) }, {
        body: "x".repeat(1_048_576),
      }),
      ask("POST /route", { status: 200, body: "x".repeat(1_048_576) }, {
        body: "x".repeat(1_048_576),
      }),
    ],
  },
  {
    name: "a request without a body has none",
    server: () => ({
      fetch: async (request) =>
        Response.json([request.body === null, await request.text()]),
    }),
    exchange: [
      ask("GET /", { status: 200, body: '[true,""]' }),
      ask("POST /", { status: 200, body: '[true,""]' }, { body: "" }),
      ask("DELETE /", { status: 200, body: '[true,""]' }),
    ],
  },
  {
    name: "content of length 0 is no content, in routes too",
    server: () => {
      const facts = async (request: CaseRequest) =>
        Response.json([
          request.body === null,
          request.bodyUsed,
          (await request.arrayBuffer()).byteLength,
          request.bodyUsed,
        ]);
      return { routes: { "/route": facts }, fetch: facts };
    },
    exchange: ["/route", "/fetch"].map((path) =>
      [
        ...["POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) =>
          ask(`${method} ${path}`, {
            status: 200,
            body: "[true,false,0,false]",
          }, { body: "" })
        ),
        ask(`DELETE ${path}`, { status: 200, body: "[true,false,0,false]" }),
      ].flat()
    ).flat(),
  },
  ...table(
    [
      ["text()", (request) => request.text(), '""'],
      ["json()", (request) => request.json(), '"SyntaxError"'],
      [
        "bytes()",
        async (request) => (await request.bytes()).length,
        "0",
      ],
      [
        "arrayBuffer()",
        async (request) => (await request.arrayBuffer()).byteLength,
        "0",
      ],
      ["blob()", async (request) => (await request.blob()).size, "0"],
      ["formData()", (request) => request.formData(), '"TypeError"'],
    ] as [string, (request: CaseRequest) => Promise<unknown>, string][],
    ([name, read, body]) => ({
      name: `${name} of no content`,
      server: () => ({
        fetch: async (request) => {
          try {
            return Response.json(await read(request));
          } catch (error) {
            return Response.json((error as Error).name);
          }
        },
      }),
      exchange: [
        ask("POST /", { status: 200, body }, { body: "" }),
        ask("GET /", { status: 200, body }),
      ],
    }),
  ),
  ...table(readers, ([name, read]) => ({
    name: `${name} rejects what was read already`,
    server: () => ({
      fetch: async (request) => {
        await request.text();
        try {
          await read(request);
          return new Response("read twice");
        } catch (error) {
          return new Response((error as Error).name);
        }
      },
    }),
    exchange: ask("POST /", { status: 200, body: "TypeError" }, { body: json }),
  })),
  {
    name: "a body that is being read cannot be read by others",
    server: () => ({
      fetch: async (request) => {
        const reader = request.body!.getReader();
        const name = await request.text().catch((error) => error.name);
        const { value } = await reader.read();
        return Response.json([name, new TextDecoder().decode(value)]);
      },
    }),
    exchange: ask("POST /", { status: 200, body: '["TypeError","body"]' }, {
      body: "body",
    }),
  },
  {
    name: "all 256 bytes arrive as they are",
    server: () => ({
      fetch: async (request) => new Response(await request.bytes()),
    }),
    exchange: [
      {
        send: request("POST /", {
          headers: { "Content-Length": "256" },
        }),
      },
      { send: allBytes },
      { receive: { status: 200, body: allBytes } },
    ],
  },
  {
    name: "text that is no UTF-8 is replaced, and a byte order mark dropped",
    server: echo,
    exchange: [
      {
        send: request("POST /", { headers: { "Content-Length": "6" } }),
      },
      { send: Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff, 0x62) },
      { receive: { status: 200, body: "a\ufffdb" } },
    ],
  },
  {
    name: "a Blob has the type of its content",
    server: () => ({
      fetch: async (request) => {
        const blob = await request.blob();
        return Response.json([blob.size, blob.type]);
      },
    }),
    exchange: ask("POST /", { status: 200, body: '[4,"text/x-a"]' }, {
      headers: { "Content-Type": "text/x-a" },
      body: "body",
    }),
    bun: "gives every Blob of a request the type of text",
  },
  {
    name: "a cancelled body lets the handler answer",
    server: () => ({
      fetch: async (request) => {
        await request.body!.cancel();
        return new Response("cancelled");
      },
    }),
    exchange: [
      { send: request("POST /", { body: "body" }) },
      { receive: { status: 200, body: "cancelled" } },
      { connection: "next", send: request("POST /", { body: "body" }) },
      { connection: "next", receive: { status: 200, body: "cancelled" } },
    ],
  },
  {
    name: "a chunk is read as soon as it is sent",
    server: (api) => ({
      fetch: async (request) => {
        const decoder = new TextDecoder();
        for await (const chunk of request.body!) {
          api.log(decoder.decode(chunk));
        }
        return new Response("done");
      },
    }),
    exchange: [
      { send: chunkedHead("/") },
      ...["a", "b", "c", "d"].map((letter): Step[] => [
        { send: lines("1", letter) },
        { logged: letter },
      ]),
      { send: lines("0", "") },
      { receive: { status: 200, body: "done" } },
    ],
    log: ["a", "b", "c", "d"],
  },
  {
    name: "a declared length is read part by part as it is sent",
    server: (api) => ({
      fetch: async (request) => {
        const decoder = new TextDecoder();
        for await (const chunk of request.body!) {
          api.log(decoder.decode(chunk));
        }
        return new Response("done");
      },
    }),
    exchange: [
      { send: request("POST /", { headers: { "Content-Length": "3" } }) },
      ...["a", "b", "c"].map((letter): Step[] => [
        { send: letter },
        { logged: letter },
      ]),
      { receive: { status: 200, body: "done" } },
    ],
    log: ["a", "b", "c"],
  },
  {
    name: "a body is read once",
    server: () => ({
      fetch: async (request) => {
        await request.text();
        return Response.json([
          request.bodyUsed,
          await request.text().catch((error) => error.name),
        ]);
      },
    }),
    exchange: ask("POST /", { status: 200, body: '[true,"TypeError"]' }, {
      body: "body",
    }),
  },
  {
    name: "invalid JSON rejects",
    server: () => ({
      fetch: (request) => request.json(),
      error: (error) => new Response(error.name, { status: 400 }),
    }),
    exchange: ask("POST /", { status: 400, body: "SyntaxError" }, {
      body: "{",
    }),
  },
  {
    name: "an urlencoded form",
    server: () => ({
      fetch: async (request) => Response.json([...await request.formData()]),
    }),
    exchange: ask("POST /", {
      status: 200,
      body: '[["a","b c"],["__proto__","d"]]',
    }, {
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: "a=b+c&__proto__=d",
    }),
  },
  {
    name: "a multipart form",
    server: () => ({
      fetch: async (request) => {
        const form = await request.formData();
        const file = form.get("file") as File;
        return Response.json([
          form.get("__proto__"),
          file.name,
          await file.text(),
        ]);
      },
    }),
    exchange: ask("POST /", {
      status: 200,
      body: '["value","a.txt","content"]',
    }, {
      headers: { "Content-Type": "multipart/form-data; boundary=X" },
      body: multipart,
    }),
  },
  {
    name: "a body can be answered with as it arrives",
    server: () => ({ fetch: (request) => new Response(request.body) }),
    exchange: [
      { send: chunkedHead("/") + lines("5", "hello", "0", "") },
      { receive: { status: 200, body: "hello" } },
    ],
  },
  {
    name: "a handler sees the first part of a body before the last is sent",
    server: (api) => ({
      fetch: async (request) => {
        const reader = request.body!.getReader();
        const first = await reader.read();
        api.log(new TextDecoder().decode(first.value));
        const second = await reader.read();
        return new Response(new TextDecoder().decode(second.value));
      },
    }),
    exchange: [
      { send: chunkedHead("/") + lines("5", "first") },
      { logged: "first" },
      { send: lines("6", "second", "0", "") },
      { receive: { status: 200, body: "second" } },
    ],
  },
  {
    name: "a body that nobody reads does not disturb the next request",
    server: () => ({ fetch: () => new Response("unread") }),
    exchange: [
      { send: request("POST /", { body: "GET / HTTP/1.1\r\n\r\n" }) },
      { receive: { status: 200, body: "unread" } },
      { connection: "next", send: request("GET /") },
      { connection: "next", receive: { status: 200, body: "unread" } },
    ],
  },
  {
    name: "a small body that nobody reads leaves the connection usable",
    server: () => ({ fetch: () => new Response("unread") }),
    exchange: [
      ask("POST /", { status: 200, body: "unread" }, { body: "small" }),
      ask("POST /", { status: 200, body: "unread" }, { body: "small" }),
    ],
  },
  {
    name: "a body on GET is taken off the connection",
    server: () => ({ fetch: (request) => new Response(request.method) }),
    exchange: [
      ask("GET /", { status: 200, body: "GET" }, { body: "ignored" }),
      ask("POST /", { status: 200, body: "POST" }, { body: "x" }),
    ],
  },
  {
    name: "a body on DELETE is read",
    server: echo,
    exchange: ask("DELETE /", { status: 200, body: "body" }, { body: "body" }),
  },
  {
    name: "reading rejects and the signal aborts when an upload breaks off",
    server: (api) => ({
      fetch: async (request) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        request.signal.addEventListener("abort", () => {
          api.log("aborted");
          resolve();
        });
        api.log("reading");
        await request.text().catch(() => api.log("rejected"));
        await promise;
        return new Response("late");
      },
    }),
    exchange: [
      {
        send: lines(
          "POST / HTTP/1.1",
          "Host: localhost",
          "Content-Length: 100000",
          "",
        ) + "half",
      },
      { logged: "reading" },
      { close: true },
      { logged: "aborted" },
      { logged: "rejected" },
    ],
  },
  ...table(readers, ([name, read]): ConformanceCase => ({
    name: `${name} rejects when the upload breaks off`,
    server: (api) => ({
      fetch: async (request) => {
        api.log("reading");
        try {
          await read(request);
          api.log("read");
        } catch {
          api.log("rejected");
        }
        return new Response("late");
      },
    }),
    exchange: [
      { send: request("POST /", { headers: { "Content-Length": "20" } }) },
      { logged: "reading" },
      { send: json },
      { close: true },
      { logged: "rejected" },
    ],
    log: ["reading", "rejected"],
  })),
  {
    name: "a whole upload is answered though the client ends its side",
    server: echo,
    exchange: [
      { send: request("POST /", { body: "hello" }) },
      { halfClose: true },
      { receive: { status: 200, body: "hello" } },
      { closed: true },
    ],
  },
  {
    name: "a chunked upload that breaks off is never taken for complete",
    server: (api) => ({
      fetch: async (request) => {
        api.log("reading");
        try {
          api.log(`complete: ${await request.text()}`);
        } catch {
          api.log("rejected");
        }
        return new Response("late");
      },
    }),
    exchange: [
      { send: chunkedHead("/") + lines("4", "half") },
      { logged: "reading" },
      { close: true },
    ],
    log: ["reading", "rejected"],
  },
];
