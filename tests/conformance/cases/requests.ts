import {
  ask,
  type CaseRequest,
  type CaseServer,
  type ConformanceCase,
  latin1,
  lines,
  request,
  table,
} from "../case.ts";

/** Target as sent, path and query of `request.url`. */
const targets: [target: string, url: string][] = [
  ["/", "/"],
  ["/a/b", "/a/b"],
  ["/a?b=c&d", "/a?b=c&d"],
  ["/a?", "/a?"],
  ["/%41", "/%41"],
  ["/a%20b?c%20d", "/a%20b?c%20d"],
  ["/a//b", "/a//b"],
  ["//a/b", "//a/b"],
  ["/?a=?b", "/?a=?b"],
  ["/" + "x".repeat(8000), "/" + "x".repeat(8000)],
  ["/?" + "x".repeat(8000), "/?" + "x".repeat(8000)],
];

const headerRows: [name: string, sent: string[], value: string][] = [
  ["a plain value", ["X-A: b"], "b"],
  ["spaces around a value", ["X-A: \t b \t"], "b"],
  ["spaces inside a value", ["X-A: b  c"], "b  c"],
  ["an empty value", ["X-A:"], ""],
  ["no space after the colon", ["X-A:b"], "b"],
  ["a colon in a value", ["X-A: b: c"], "b: c"],
  ["a repeated name", ["X-A: b", "x-a: c"], "b, c"],
  ["a name in capitals", ["X-A: b"], "b"],
  ["a long value", ["X-A: " + "b".repeat(8000)], "b".repeat(8000)],
];

export const cases: ConformanceCase[] = [
  ...table(targets, ([target, url]) => ({
    name: `the URL of ${target.slice(0, 40)}`,
    server: () => ({
      fetch: (request) =>
        new Response(request.url.slice("http://localhost".length)),
    }),
    exchange: ask(`GET ${target}`, { status: 200, body: url }),
  })),
  {
    name: "the URL has its authority from Host",
    server: () => ({ fetch: (request) => new Response(request.url) }),
    exchange: [
      ask("GET /a", { status: 200, body: "http://example.com/a" }, {
        headers: { Host: "example.com" },
      }),
      ask("GET /a", { status: 200, body: "http://example.com:8080/a" }, {
        headers: { Host: "example.com:8080" },
      }),
      ask("GET /a", { status: 200, body: "http://[::1]:8080/a" }, {
        headers: { Host: "[::1]:8080" },
      }),
    ],
  },
  {
    name: "an absolute-form target wins over Host",
    server: () => ({ fetch: (request) => new Response(request.url) }),
    exchange: ask("GET http://example.com:81/a?b", {
      status: 200,
      body: "http://example.com:81/a?b",
    }, { headers: { Host: "other.example" } }),
    bun: "takes the authority of the URL from Host always",
  },
  {
    name: "the URL can be parsed and is normal",
    server: () => ({
      fetch: (request) => new Response(new URL(request.url).pathname),
    }),
    exchange: [
      ask("GET /x/../b", { status: 200, body: "/b" }),
      ask("GET /./b", { status: 200, body: "/b" }),
      ask("GET /x/%2e%2e/b", { status: 200, body: "/b" }),
      ask("GET /a\\b", { status: 200, body: "/a/b" }),
    ],
  },
  {
    name: "a route matches the path as sent, and its URL is normal",
    server: () => ({
      routes: {
        "/x/*": (request) => new Response(`x ${request.url}`),
        "/:id": (request) =>
          new Response(`${request.params.id} ${request.url}`),
      },
      fetch: (request) => new Response(`fetch ${request.url}`),
    }),
    exchange: [
      ask("GET /x/../b", { status: 200, body: "x http://localhost/b" }),
      ask("GET /x/./b?c=../d", {
        status: 200,
        body: "x http://localhost/x/b?c=../d",
      }),
      ask("GET /y/../x/b", { status: 200, body: "fetch http://localhost/x/b" }),
      ask("GET /..", { status: 200, body: ".. http://localhost/" }),
      ask("GET /%2e%2e", { status: 200, body: ".. http://localhost/" }),
      ask("GET /a\\b", { status: 200, body: "a\\b http://localhost/a/b" }),
    ],
  },
  ...table(headerRows, ([name, sent, value]) => ({
    name: `header: ${name}`,
    server: () => ({
      fetch: (request) => Response.json(request.headers.get("x-a")),
    }),
    exchange: [
      { send: lines("GET / HTTP/1.1", "Host: localhost", ...sent, "") },
      { receive: { status: 200, body: JSON.stringify(value) } },
    ],
  })),
  {
    name: "header bytes above 127 are one character each",
    server: () => ({
      fetch: (request) => Response.json(request.headers.get("x-a")),
    }),
    exchange: [
      {
        send: latin1(
          lines("GET / HTTP/1.1", "Host: localhost", "X-A: caf\xe9", ""),
        ),
      },
      { receive: { status: 200, body: '"café"' } },
    ],
  },
  {
    name: "several Cookie lines are joined with a semicolon",
    server: () => ({
      fetch: (request) => new Response(request.headers.get("cookie")),
    }),
    exchange: ask("GET /", { status: 200, body: "a=1; b=2" }, {
      headers: { Cookie: ["a=1", "b=2"] },
    }),
  },
  {
    name: "a hundred headers arrive",
    server: () => ({
      fetch: (request) => new Response(String([...request.headers].length)),
    }),
    exchange: ask("GET /", { status: 200, body: "100" }, {
      headers: Object.fromEntries(
        Array.from({ length: 99 }, (_, index) => [`X-${index}`, "a"]),
      ),
    }),
  },
  {
    name: "names of inherited properties are ordinary header names",
    server: () => ({
      fetch: (request) =>
        Response.json(
          ["__proto__", "constructor", "hasownproperty", "tostring"].map(
            (name) => request.headers.get(name),
          ),
        ),
    }),
    exchange: ask("GET /", { status: 200, body: '["1","2",null,null]' }, {
      headers: Object.fromEntries([["__proto__", "1"], ["constructor", "2"]]),
    }),
  },
  {
    name: "names of inherited properties are ordinary query names",
    server: () => ({
      fetch: (request) => Response.json([...new URL(request.url).searchParams]),
    }),
    exchange: ask("GET /?__proto__=1&constructor[prototype][x]=2", {
      status: 200,
      body: '[["__proto__","1"],["constructor[prototype][x]","2"]]',
    }),
  },
  {
    name: "a request is a Request, in fetch and in routes",
    server: () => {
      const facts = (request: CaseRequest) =>
        Response.json([
          request instanceof Request,
          request.constructor.name,
          request.method,
          request.headers instanceof Headers,
          request.signal instanceof AbortSignal,
          request.bodyUsed,
        ]);
      return { routes: { "/route": facts }, fetch: facts };
    },
    exchange: ["/route", "/fetch"].map((path) =>
      ask(`GET ${path}`, {
        status: 200,
        body: '[true,"Request","GET",true,true,false]',
      })
    ),
  },
  {
    name: "new Request(request) and clone() work, in fetch and in routes",
    server: () => {
      const copy = async (request: CaseRequest) => {
        const clone = request.clone();
        const made = new Request(request, { headers: { "x-a": "b" } });
        return Response.json([
          made.url === request.url,
          made.method,
          made.headers.get("x-a"),
          await made.text(),
          await clone.text(),
        ]);
      };
      return { routes: { "/route": copy }, fetch: copy };
    },
    exchange: ["/route", "/fetch"].map((path) =>
      ask(`POST ${path}`, {
        status: 200,
        body: '[true,"POST","b","body","body"]',
      }, { body: "body" })
    ),
  },
  {
    name: "new Request(other URL, request) keeps method, headers and body",
    server: () => ({
      fetch: async (request) => {
        const made = new Request("http://localhost/other", request);
        return Response.json([
          made.url,
          made.method,
          made.headers.get("x-a"),
          await made.text(),
        ]);
      },
    }),
    exchange: ask("POST /", {
      status: 200,
      body: '["http://localhost/other","POST","b","body"]',
    }, { headers: { "X-A": "b" }, body: "body" }),
  },
  {
    name: "a request in fetch takes properties of the user's",
    server: () => ({
      fetch: (request) => {
        const extended = Object.assign(request, { ip: "a", user: { id: 1 } });
        Object.defineProperty(request, "late", { value: 2 });
        return Response.json([
          extended.ip,
          extended.user.id,
          (request as unknown as { late: number }).late,
        ]);
      },
    }),
    exchange: ask("GET /", { status: 200, body: '["a",1,2]' }),
  },
  {
    name: "a request in fetch takes params and cookies of the user's",
    server: () => ({
      fetch: (request) => {
        const before = [request.params, request.cookies].map(String);
        Object.assign(request, { params: { id: "a" } });
        Object.defineProperties(request, {
          cookies: { value: "c", enumerable: true },
          ip: { get: () => "b" },
        });
        return Response.json([
          ...before,
          request.params.id,
          request.cookies,
          (request as unknown as { ip: string }).ip,
          Object.keys(request).includes("params"),
        ]);
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      body: '["undefined","undefined","a","c","b",true]',
    }, { headers: { Cookie: "a=b" } }),
  },
  {
    name: "a request takes url, method and headers of the user's",
    server: () => ({
      fetch: (request) => {
        const headers = new Headers({ "x-a": "changed" });
        Object.defineProperties(request, {
          url: { value: "http://localhost/changed" },
          method: { value: "CHANGED" },
          headers: { value: headers },
        });
        return Response.json([
          request.url,
          request.method,
          request.headers.get("x-a"),
        ]);
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      body: '["http://localhost/changed","CHANGED","changed"]',
    }, { headers: { "X-A": "b" } }),
  },
  {
    name: "the headers of a request can be changed",
    server: () => ({
      fetch: (request) => {
        request.headers.set("x-a", "changed");
        request.headers.append("x-b", "new");
        request.headers.delete("host");
        return Response.json([
          request.headers.get("x-a"),
          request.headers.get("x-b"),
          request.headers.get("host"),
          request.url,
        ]);
      },
    }),
    exchange: ask("GET /a", {
      status: 200,
      body: '["changed","new",null,"http://localhost/a"]',
    }, { headers: { "X-A": "b" } }),
    skip: { deno: "the headers of Deno.serve's requests are immutable" },
  },
  {
    name: "properties of a request that frameworks read are there",
    server: () => ({
      fetch: (request) =>
        Response.json([
          "url" in request,
          "headers" in request,
          typeof request.clone,
          typeof request.text,
          typeof request.json,
          typeof request.formData,
          Object.prototype.toString.call(request),
        ]),
    }),
    exchange: ask("GET /", {
      status: 200,
      body:
        '[true,true,"function","function","function","function","[object Request]"]',
    }),
  },
  {
    name: "a clone in a route keeps params and cookies",
    server: () => ({
      routes: {
        "/:id": async (request) => {
          const clone = request.clone() as CaseRequest;
          return Response.json([
            clone instanceof Request,
            clone.params.id,
            clone.cookies.get("a"),
            clone.url,
            clone.headers.get("x-a"),
            await request.text(),
            await clone.text(),
          ]);
        },
      },
    }),
    exchange: ask("POST /b%20c", {
      status: 200,
      body: '[true,"b c","1","http://localhost/b%20c","2","content","content"]',
    }, { headers: { Cookie: "a=1", "X-A": "2" }, body: "content" }),
  },
  {
    name: "a clone of a request without content",
    server: () => ({
      routes: {
        "/:id": async (request) =>
          new Response(`[${await request.clone().text()}]`),
      },
      fetch: async (request) =>
        new Response(`[${await request.clone().text()}]`),
    }),
    exchange: [
      ask("GET /a", { status: 200, body: "[]" }),
      ask("POST /a", { status: 200, body: "[]" }, { body: "" }),
      ask("GET /a/b", { status: 200, body: "[]" }),
    ],
  },
  {
    name: "a request that was read cannot be cloned or copied",
    server: () => ({
      fetch: async (request) => {
        await request.text();
        const names: string[] = [];
        for (
          const copy of [() => request.clone(), () => new Request(request)]
        ) {
          try {
            copy();
          } catch (error) {
            names.push((error as Error).name);
          }
        }
        return Response.json(names);
      },
    }),
    exchange: ask(
      "POST /",
      { status: 200, body: '["TypeError","TypeError"]' },
      {
        body: "content",
      },
    ),
    bun: "copies a request whose content was read",
  },
  {
    name: "requestIP tells the client's address, before and after an await",
    server: () => {
      const facts = async (request: CaseRequest, server: CaseServer) => {
        const ip = server.requestIP(request)!;
        await request.text();
        const later = server.requestIP(request);
        return Response.json([
          ip.address,
          ip.family,
          Number.isInteger(ip.port) && ip.port > 0,
          JSON.stringify(later) === JSON.stringify(ip),
        ]);
      };
      return { routes: { "/route": facts }, fetch: facts };
    },
    exchange: ["/route", "/fetch"].map((path) =>
      ask(`POST ${path}`, {
        status: 200,
        body: '["127.0.0.1","IPv4",true,true]',
      }, { body: "content" })
    ),
  },
  {
    name: "requestIP of a request that is not the server's is null",
    server: () => ({
      fetch: (_request, server) =>
        Response.json(server.requestIP(new Request("http://localhost/"))),
    }),
    exchange: ask("GET /", { status: 200, body: "null" }),
  },
  {
    name: "requestIP ignores what the client says of itself",
    server: () => ({
      fetch: (request, server) =>
        new Response(server.requestIP(request)!.address),
    }),
    exchange: ask("GET /", { status: 200, body: "127.0.0.1" }, {
      headers: { "X-Forwarded-For": "1.2.3.4", Forwarded: "for=1.2.3.4" },
    }),
  },
  {
    name: "facts of a request stay readable after an await",
    server: () => ({
      routes: {
        "/:id": async (request) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          return Response.json([
            request.method,
            request.url,
            request.headers.get("x-a"),
            request.params.id,
          ]);
        },
      },
    }),
    exchange: ask("GET /b", {
      status: 200,
      body: '["GET","http://localhost/b","c","b"]',
    }, { headers: { "X-A": "c" } }),
  },
  {
    name: "the signal does not abort when the response is done",
    server: (api) => ({
      fetch: (request) => {
        request.signal.addEventListener("abort", () => api.log("aborted"));
        return new Response("done");
      },
    }),
    exchange: [
      ask("GET /", { status: 200, body: "done" }),
      ask("POST /", { status: 200, body: "done" }, { body: "body" }),
      { close: true },
      { pause: 50 },
      { connection: "other", send: request("GET /") },
      { connection: "other", receive: { status: 200 } },
    ],
    log: [],
  },
  {
    name: "the signal of an answered request is not aborted",
    server: (api) => {
      const signals: AbortSignal[] = [];
      return {
        routes: {
          "/signals": () =>
            new Response(signals.map((signal) => signal.aborted).join()),
          "/:id": async (request) => {
            signals.push(request.signal);
            await request.text();
            return new Response(
              new ReadableStream({
                start(controller) {
                  controller.enqueue(new TextEncoder().encode("stream"));
                  controller.close();
                  api.log("answered");
                },
              }),
            );
          },
        },
        fetch: (request) => {
          signals.push(request.signal);
          api.log("answered");
          return new Response("fetch");
        },
      };
    },
    exchange: [
      ask("GET /a", { status: 200, body: "stream" }),
      ask("POST /b", { status: 200, body: "stream" }, { body: "content" }),
      ask("GET /a/b", { status: 200, body: "fetch" }),
      { close: true },
      { pause: 30 },
      { connection: "other", send: request("GET /signals") },
      {
        connection: "other",
        receive: { status: 200, body: "false,false,false" },
      },
    ],
    log: ["answered", "answered", "answered"],
  },
  {
    name: "the signal aborts when the client ends its side",
    server: (api) => ({
      fetch: (request) =>
        new Promise((resolve) => {
          api.log("waiting");
          request.signal.addEventListener("abort", () => {
            api.log("aborted");
            resolve(new Response("late"));
          });
        }),
    }),
    exchange: [
      { send: request("GET /") },
      { logged: "waiting" },
      { halfClose: true },
      { logged: "aborted" },
      { closed: true },
    ],
    log: ["waiting", "aborted"],
  },
  {
    name: "the signal aborts when the client leaves during the upload",
    server: (api) => ({
      fetch: (request) =>
        new Promise((resolve) => {
          api.log("waiting");
          request.signal.addEventListener("abort", () => {
            api.log("aborted");
            resolve(new Response("late"));
          });
        }),
    }),
    exchange: [
      { send: request("POST /", { headers: { "Content-Length": "9" } }) },
      { send: "first" },
      { logged: "waiting" },
      { close: true },
      { logged: "aborted" },
    ],
    log: ["waiting", "aborted"],
    skip: {
      deno: "Deno.serve notices that only while the content is being read",
    },
  },
  {
    name: "a signal asked for late tells of a client that has left",
    server: (api) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return {
        routes: {
          "/wait": async (request) => {
            api.log("waiting");
            await promise;
            const { signal } = request;
            if (!signal.aborted) {
              await new Promise((resolve) => {
                signal.addEventListener("abort", resolve);
              });
            }
            api.log("aborted");
            return new Response("late");
          },
          "/go": () => {
            resolve();
            return new Response("gone");
          },
        },
      };
    },
    exchange: [
      { send: request("GET /wait") },
      { logged: "waiting" },
      { close: true },
      { pause: 50 },
      { connection: "other", send: request("GET /go") },
      { connection: "other", receive: { status: 200, body: "gone" } },
      { logged: "aborted" },
    ],
    log: ["waiting", "aborted"],
  },
  {
    name: "the signal aborts when the client leaves a pending handler",
    server: (api) => ({
      fetch: (request) =>
        new Promise((resolve) => {
          api.log("waiting");
          request.signal.addEventListener("abort", () => {
            api.log(`aborted ${(request.signal.reason as Error).name}`);
            resolve(new Response("late"));
          });
        }),
    }),
    exchange: [
      { send: request("GET /") },
      { logged: "waiting" },
      { close: true },
      { logged: "aborted AbortError" },
    ],
    log: ["waiting", "aborted AbortError"],
  },
  {
    name: "the signal of a route aborts when the client leaves",
    server: (api) => ({
      routes: {
        "/:id": (request) =>
          new Promise((resolve) => {
            api.log("waiting");
            request.signal.addEventListener("abort", () => {
              api.log("aborted");
              resolve(new Response("late"));
            });
          }),
      },
    }),
    exchange: [
      { send: request("POST /a", { body: "body" }) },
      { logged: "waiting" },
      { close: true },
      { logged: "aborted" },
    ],
    log: ["waiting", "aborted"],
  },
  {
    name: "the signal aborts while a response streams",
    server: (api) => ({
      fetch: (request) => {
        request.signal.addEventListener("abort", () => api.log("aborted"));
        return new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode("first"));
              api.log("streaming");
            },
          }),
        );
      },
    }),
    exchange: [
      { send: request("GET /") },
      { logged: "streaming" },
      { pause: 30 },
      { close: true },
      { logged: "aborted" },
    ],
    log: ["streaming", "aborted"],
  },
  {
    name: "requests of one connection wait for each other and keep their order",
    server: () => ({
      fetch: async (request) => {
        const path = new URL(request.url).pathname;
        if (path === "/slow") {
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
        return new Response(path);
      },
    }),
    exchange: [
      {
        send: request("GET /slow") + request("GET /a") +
          request("POST /b", { body: "body" }) + request("GET /c"),
      },
      ...["/slow", "/a", "/b", "/c"].map((path) => ({
        receive: { status: 200, body: path },
      })),
    ],
    bun:
      "closes instead of answering what is pipelined behind a pending handler",
  },
  {
    name: "connections do not wait for each other",
    server: (api) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return {
        routes: {
          "/slow": async () => {
            api.log("slow");
            await promise;
            return new Response("slow");
          },
          "/open": () => {
            resolve();
            return new Response("open");
          },
        },
      };
    },
    exchange: [
      { connection: "a", send: request("GET /slow") },
      { logged: "slow" },
      { connection: "b", send: request("GET /open") },
      { connection: "b", receive: { status: 200, body: "open" } },
      { connection: "a", receive: { status: 200, body: "slow" } },
    ],
    log: ["slow"],
  },
  {
    name: "a whole request is understood however it is cut",
    server: () => ({
      routes: {
        "/:id": (request) =>
          new Response(`${request.params.id} ${request.headers.get("x-a")}`),
      },
    }),
    exchange: [
      { send: lines("GET /ab HTTP/1.1", "Host: a", "X-A: b", "") },
      { receive: { status: 200, body: "ab b" } },
    ],
    replay: true,
  },
];
