import {
  ask,
  type CaseApi,
  type CaseOptions,
  type CaseRequest,
  type CaseServer,
  type ConformanceCase,
  gate,
  request,
  table,
} from "../case.ts";

interface BadOption {
  name: string;
  /** Besides a good port, hostname and fetch. */
  options: () => Record<string, unknown>;
  thrown: "TypeError" | "RangeError" | "Error";
  /** What our message says, to the letter. */
  message: string;
  bun?: string;
}

const TAKES = "takes it and goes on with a default";

const badOptions: BadOption[] = [
  {
    name: "neither fetch nor routes",
    options: () => ({ fetch: undefined }),
    thrown: "TypeError",
    message:
      "Cannot serve without a handler: expected fetch or at least one route in routes",
  },
  {
    name: "fetch that is no function",
    options: () => ({ fetch: "x" }),
    thrown: "TypeError",
    message: 'Cannot use fetch "x": expected a function',
  },
  {
    name: "error that is no function",
    options: () => ({ error: 5 }),
    thrown: "TypeError",
    message: "Cannot use error 5: expected a function",
  },
  {
    name: "routes that are no object",
    options: () => ({ routes: 5 }),
    thrown: "TypeError",
    message: "Cannot use routes 5: expected an object of routes by path",
  },
  {
    name: "a port above 65535",
    options: () => ({ port: 65_536 }),
    thrown: "RangeError",
    message: "Cannot listen on port 65536: expected an integer from 0 to 65535",
  },
  {
    name: "a negative port",
    options: () => ({ port: -1 }),
    thrown: "RangeError",
    message: "Cannot listen on port -1: expected an integer from 0 to 65535",
  },
  {
    name: "a fraction of a port",
    options: () => ({ port: 1.5 }),
    thrown: "RangeError",
    message: "Cannot listen on port 1.5: expected an integer from 0 to 65535",
  },
  {
    name: "a port that is no number",
    options: () => ({ port: "http" }),
    thrown: "RangeError",
    message:
      'Cannot listen on port "http": expected an integer from 0 to 65535',
  },
  {
    name: "a port that is NaN",
    options: () => ({ port: NaN }),
    thrown: "RangeError",
    message: "Cannot listen on port NaN: expected an integer from 0 to 65535",
  },
  {
    name: "a port of another type",
    options: () => ({ port: true }),
    thrown: "TypeError",
    message: "Cannot use port true: expected a number or a string",
    bun: TAKES,
  },
  {
    name: "a hostname of another type",
    options: () => ({ hostname: 5 }),
    thrown: "TypeError",
    message: "Cannot use hostname 5: expected a string",
    bun: "tries to listen on it",
  },
  {
    name: "both unix and hostname",
    options: () => ({ unix: "/nowhere/socket", hostname: "localhost" }),
    thrown: "TypeError",
    message:
      'Cannot listen on both unix "/nowhere/socket" and hostname "localhost": expected one of them',
  },
  {
    name: "an idleTimeout above 255",
    options: () => ({ idleTimeout: 256 }),
    thrown: "RangeError",
    message:
      "Cannot use idleTimeout 256: expected an integer from 0 to 255 (seconds)",
    bun: "throws a TypeError for a number out of range",
  },
  {
    name: "a negative idleTimeout",
    options: () => ({ idleTimeout: -1 }),
    thrown: "RangeError",
    message:
      "Cannot use idleTimeout -1: expected an integer from 0 to 255 (seconds)",
    bun: TAKES,
  },
  {
    name: "an idleTimeout of another type",
    options: () => ({ idleTimeout: "x" }),
    thrown: "TypeError",
    message:
      'Cannot use idleTimeout "x": expected an integer from 0 to 255 (seconds)',
  },
  {
    name: "a negative maxRequestBodySize",
    options: () => ({ maxRequestBodySize: -1 }),
    thrown: "RangeError",
    message:
      "Cannot use maxRequestBodySize -1: expected a non-negative integer or Infinity (bytes)",
    bun: TAKES,
  },
  {
    name: "a maxRequestBodySize of another type",
    options: () => ({ maxRequestBodySize: "1mb" }),
    thrown: "TypeError",
    message:
      'Cannot use maxRequestBodySize "1mb": expected a non-negative integer or Infinity (bytes)',
    bun: TAKES,
  },
  {
    name: "a development of another type",
    options: () => ({ development: "no" }),
    thrown: "TypeError",
    message: 'Cannot use development "no": expected a boolean or an object',
    bun: TAKES,
  },
  {
    name: "an id of another type",
    options: () => ({ id: 5 }),
    thrown: "TypeError",
    message: "Cannot use id 5: expected a string",
    bun: TAKES,
  },
  {
    name: "tls of another type",
    options: () => ({ tls: 5 }),
    thrown: "TypeError",
    message: "Cannot use tls of type number: expected an object",
  },
];

/** Routes that must throw; the words of their messages are left open. */
const badRoutes: [
  name: string,
  routes: () => Record<string, unknown>,
  thrown: "TypeError" | "Error",
][] = [
  ["a path without a slash", () => ({ a: () => {} }), "TypeError"],
  ["an empty path", () => ({ "": () => {} }), "TypeError"],
  ["an empty method table", () => ({ "/": {} }), "TypeError"],
  ["a lower-case method", () => ({ "/": { get() {} } }), "TypeError"],
  ["an unknown method", () => ({ "/": { FETCH() {} } }), "TypeError"],
  ["a number as a route", () => ({ "/": 1 }), "TypeError"],
  ["a string as a route", () => ({ "/": "text" }), "TypeError"],
  ["null as a route", () => ({ "/": null }), "TypeError"],
  ["true as a route", () => ({ "/": true }), "TypeError"],
  [
    "a promise as a route",
    () => ({ "/": Promise.resolve(new Response("")) }),
    "TypeError",
  ],
  [
    "a static Response that streams",
    () => ({ "/": new Response(new ReadableStream()) }),
    "TypeError",
  ],
  ["a static Response that is used", () => {
    const response = new Response("used");
    response.text();
    return { "/": response };
  }, "TypeError"],
  ["a duplicate param", () => ({ "/:a/:a": () => {} }), "Error"],
  ["a param that begins with a digit", () => ({ "/:1": () => {} }), "Error"],
  [
    "a directory under a path without a wildcard",
    () => ({ "/s": { dir: "/" } }),
    "TypeError",
  ],
];

/** Logs the class of what `start` throws, else stops the server. */
async function logThrown(
  api: CaseApi,
  start: () => CaseServer,
  describe = (error: Error) => error.constructor.name,
): Promise<void> {
  let server: CaseServer;
  try {
    server = start();
  } catch (error) {
    return api.log(describe(error as Error));
  }
  api.log("did not throw");
  await server.stop(true);
}

/** Logs whether a new connection is accepted. */
async function logReachable(api: CaseApi, url: URL): Promise<void> {
  try {
    const response = await fetch(url, { headers: { Connection: "close" } });
    api.log(`reached: ${await response.text()}`);
  } catch {
    api.log("refused");
  }
}

export const cases: ConformanceCase[] = [
  ...table(badOptions, ({ name, options, thrown, bun }) => ({
    name: `${name} throws a ${thrown}`,
    server: () => ({ fetch: () => new Response("fine") }),
    exchange: [
      {
        run: (_server, api) =>
          logThrown(api, () =>
            api.serve({
              port: 0,
              hostname: "127.0.0.1",
              fetch: () => new Response(""),
              ...options(),
            })),
      },
      ask("GET /", { status: 200, body: "fine" }),
    ],
    log: [thrown],
    bun,
  })),
  {
    name: "what is thrown names the option and the value",
    server: () => ({ fetch: () => new Response("fine") }),
    exchange: [
      {
        async run(_server, api) {
          for (const { options } of badOptions) {
            await logThrown(
              api,
              () =>
                api.serve({
                  port: 0,
                  fetch: () => new Response(""),
                  ...options(),
                }),
              (error) => error.message,
            );
          }
        },
      },
    ],
    log: badOptions.map(({ message }) => message),
    bun: "words its messages in its own way",
  },
  ...table(badRoutes, ([name, routes, thrown]) => ({
    name: `${name} throws a ${thrown}`,
    server: () => ({ fetch: () => new Response("fine") }),
    exchange: [
      {
        run: (_server, api) =>
          logThrown(
            api,
            () =>
              api.serve({ port: 0, hostname: "127.0.0.1", routes: routes() }),
          ),
      },
      ask("GET /", { status: 200, body: "fine" }),
    ],
    log: [thrown],
  })),
  ...table([undefined, null, 5, "x"], (options) => ({
    name: `serve(${JSON.stringify(options)}) throws a TypeError`,
    server: () => ({ fetch: () => new Response("fine") }),
    exchange: [
      { run: (_server, api) => logThrown(api, () => api.serve(options)) },
    ],
    log: ["TypeError"],
  })),
  {
    name: "a port that is taken throws EADDRINUSE at once",
    server: () => ({ fetch: () => new Response("fine") }),
    exchange: [
      {
        run: (server, api) =>
          logThrown(
            api,
            () =>
              api.serve({
                port: server.port,
                hostname: "127.0.0.1",
                fetch: () => new Response(""),
              }),
            (error) => {
              const { code, syscall } = error as Error & {
                code: string;
                syscall: string;
              };
              return `${error.constructor.name} ${code} ${syscall}`;
            },
          ),
      },
      ask("GET /", { status: 200, body: "fine" }),
    ],
    log: ["Error EADDRINUSE listen"],
  },
  {
    name: "without a hostname it listens on every address",
    server: () => ({ fetch: () => new Response("") }),
    exchange: [{
      async run(_server, api) {
        const server = api.serve({ port: 0, fetch: () => new Response("yes") });
        api.log(server.hostname);
        api.log(server.url.hostname);
        await logReachable(api, new URL(`http://127.0.0.1:${server.port}/`));
        await server.stop(true);
      },
    }],
    log: ["0.0.0.0", "localhost", "reached: yes"],
    bun: 'calls its default hostname "localhost"',
  },
  {
    name: "the port may be a string",
    server: () => ({ port: "0", fetch: () => new Response("yes") }),
    exchange: [
      { run: (server, api) => api.log(typeof server.port) },
      ask("GET /", { status: 200, body: "yes" }),
    ],
    log: ["number"],
  },
  {
    name: "a Unix socket has neither port nor hostname",
    server: () => ({ fetch: () => new Response("") }),
    exchange: [{
      async run(_server, api) {
        const unix = `${api.fixtures}/scratch/s.sock`;
        const server = api.serve({ unix, fetch: () => new Response("") });
        api.log(`${server.port} ${server.hostname} ${server.protocol}`);
        api.log(String(server.url.href === `unix://${unix}`));
        api.log(String(server.address as unknown === unix));
        await server.stop(true);
      },
    }],
    log: ["undefined undefined http", "true", "true"],
  },
  {
    name: "the older name static stands for routes",
    server: () => ({
      static: { "/a": new Response("static") },
      fetch: () => new Response("fetch"),
    }),
    exchange: [
      ask("GET /a", { status: 200, body: "static" }),
      ask("GET /b", { status: 200, body: "fetch" }),
    ],
  },
  {
    name: "options that change later change nothing",
    server: (api) => {
      const options: CaseOptions = {
        port: 0,
        hostname: "127.0.0.1",
        routes: { "/a": () => new Response("old a") },
        fetch: () => new Response("old fetch"),
      };
      return {
        fetch: async () => {
          const server = api.serve(options);
          options.routes!["/a"] = () => new Response("new a");
          options.fetch = () => new Response("new fetch");
          await logReachable(api, new URL("/a", server.url));
          await logReachable(api, new URL("/b", server.url));
          await server.stop(true);
          return new Response("done");
        },
      };
    },
    exchange: ask("GET /", { status: 200 }),
    log: ["reached: old a", "reached: old fetch"],
  },
  {
    name: "options may be an instance with a prototype",
    server: (api) => {
      class App {
        port = 0;
        hostname = "127.0.0.1";
        fetch() {
          return new Response("method");
        }
      }
      return {
        fetch: async () => {
          const server = api.serve(new App());
          await logReachable(api, server.url);
          await server.stop(true);
          return new Response("done");
        },
      };
    },
    exchange: ask("GET /", { status: 200 }),
    log: ["reached: method"],
  },
  {
    name: "the server tells where it listens",
    server: () => ({ id: "my-id", fetch: () => new Response("") }),
    exchange: [
      {
        run: (server, api) => {
          api.log(String(server.port > 0));
          api.log(server.hostname);
          api.log(
            String(server.url.href === `http://127.0.0.1:${server.port}/`),
          );
          api.log(server.id);
          api.log(String(server.development));
          api.log(server.protocol);
          api.log(server.address.address);
          api.log(String(server.address.port === server.port));
          api.log(server.address.family);
        },
      },
      ask("GET /", { status: 200 }),
    ],
    log: [
      "true",
      "127.0.0.1",
      "true",
      "my-id",
      "false",
      "http",
      "127.0.0.1",
      "true",
      "IPv4",
    ],
  },
  {
    name: "own keys are empty, so that spreading the server is harmless",
    server: () => ({ fetch: () => new Response("") }),
    exchange: [
      {
        run: (server, api) => {
          api.log(JSON.stringify(Object.keys(server)));
          api.log(JSON.stringify({ ...server }));
          api.log(String("server" in server));
        },
      },
    ],
    log: ["[]", "{}", "false"],
  },
  {
    name: "methods can be replaced, as instrumentation does",
    server: () => ({ fetch: () => new Response("old") }),
    exchange: [
      {
        run: (server, api) => {
          const { reload } = server;
          server.reload = function (options) {
            api.log("replaced");
            return reload.call(this, options);
          };
          server.reload({ fetch: () => new Response("new") });
        },
      },
      ask("GET /", { status: 200, body: "new" }),
    ],
    log: ["replaced"],
  },
  {
    name: "facts cannot be overwritten",
    server: () => ({ id: "mine", fetch: () => new Response("ok") }),
    exchange: [
      {
        run: (server, api) => {
          const writable = server as { port: number; id: string };
          for (const key of ["port", "id"] as const) {
            try {
              Object.assign(writable, { [key]: 1 });
            } catch (error) {
              api.log((error as Error).name);
            }
          }
          api.log(`${server.port > 1} ${server.id}`);
        },
      },
    ],
    log: ["TypeError", "TypeError", "true mine"],
  },
  {
    name: "handlers get the server, and this is it",
    server: () => ({
      routes: {
        "/route"(_request, server) {
          return Response.json([this === server, server.port > 0]);
        },
        "/table": {
          GET(_request, server) {
            return Response.json([this === server, server.port > 0]);
          },
        },
      },
      fetch(_request, server) {
        return Response.json([this === server, server.port > 0]);
      },
    }),
    exchange: ["/route", "/table", "/fetch"].map((path) =>
      ask(`GET ${path}`, { status: 200, body: "[true,true]" })
    ),
  },
  {
    name: "requestIP tells the client's address",
    server: () => ({
      routes: {
        "/route": (request, server) => Response.json(server.requestIP(request)),
      },
      fetch: (request, server) => Response.json(server.requestIP(request)),
    }),
    exchange: ["/route", "/fetch"].map((path) =>
      ask(`GET ${path}`, {
        status: 200,
        body:
          /^(?=.*"address":"127\.0\.0\.1")(?=.*"family":"IPv4")(?=.*"port":\d+).*$/,
      })
    ),
  },
  {
    name: "requestIP works after an await",
    server: () => ({
      fetch: async (request, server) => {
        await request.text();
        return new Response(server.requestIP(request)!.address);
      },
    }),
    exchange: ask("POST /", { status: 200, body: "127.0.0.1" }, {
      body: "body",
    }),
  },
  {
    name: "requestIP is null once answered, and for a request of one's own",
    server: (api) => {
      let answered: CaseRequest;
      return {
        fetch: (request, server) => {
          api.log(
            String(server.requestIP(new Request("http://localhost/"))),
          );
          answered = request;
          return new Response("ok");
        },
        routes: {
          "/later": (_request, server) =>
            new Response(String(server.requestIP(answered))),
        },
      };
    },
    exchange: [
      ask("GET /", { status: 200, body: "ok" }),
      ask("GET /later", { status: 200, body: "null" }),
    ],
    log: ["null"],
  },
  {
    name: "timeout refuses what is no number of seconds",
    server: () => ({
      fetch: (request, server) => {
        server.timeout(request, 0);
        server.timeout(request, 60);
        server.timeout(request, "x" as unknown as number);
        return new Response("did not throw");
      },
      error: (error) => new Response(error.name, { status: 555 }),
    }),
    exchange: ask("GET /", { status: 555, body: "TypeError" }),
    bun: "throws an Error of no particular class",
  },
  {
    name: "pendingRequests counts a stream until it ends",
    server: (api) => {
      const end = gate();
      return {
        routes: {
          "/stream": () =>
            new Response(
              new ReadableStream({
                async pull(controller) {
                  controller.enqueue(new TextEncoder().encode("streamed"));
                  api.log("streaming");
                  await end.wait;
                  controller.close();
                },
              }),
            ),
          "/count": (_request, server) => {
            const count = server.pendingRequests;
            end.open();
            return new Response(String(count));
          },
        },
      };
    },
    exchange: [
      { connection: "a", send: request("GET /stream") },
      { logged: "streaming" },
      ask("GET /count", { status: 200, body: "2" }),
      { connection: "a", receive: { status: 200, body: "streamed" } },
      { pause: 20 },
      { run: (server, api) => api.log(String(server.pendingRequests)) },
    ],
    log: ["streaming", "0"],
  },
  {
    name: "pendingRequests counts a client that leaves no longer",
    server: (api) => ({
      fetch: (request, server) =>
        new Promise((resolve) => {
          api.log(`waiting ${server.pendingRequests}`);
          request.signal.addEventListener("abort", () => {
            api.log("aborted");
            resolve(new Response("too late"));
          });
        }),
    }),
    exchange: [
      { send: request("GET /") },
      { logged: "waiting 1" },
      { close: true },
      { logged: "aborted" },
      { pause: 20 },
      { run: (server, api) => api.log(String(server.pendingRequests)) },
    ],
    log: ["waiting 1", "aborted", "0"],
  },
  {
    name: "pendingRequests counts what is being answered",
    server: (api) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return {
        routes: {
          "/wait": async () => {
            api.log("waiting");
            await promise;
            return new Response("waited");
          },
          "/count": (_request, server) => {
            const count = server.pendingRequests;
            resolve();
            return new Response(String(count));
          },
        },
      };
    },
    exchange: [
      { connection: "a", send: request("GET /wait") },
      { connection: "a", logged: "waiting" },
      ask("GET /count", { status: 200, body: "2" }),
      { connection: "a", receive: { status: 200, body: "waited" } },
      { pause: 20 },
      { run: (server, api) => api.log(String(server.pendingRequests)) },
    ],
    log: ["waiting", "0"],
  },
  {
    name: "pendingWebSockets is 0 without WebSockets",
    server: () => ({
      fetch: (_request, server) =>
        new Response(String(server.pendingWebSockets)),
    }),
    exchange: ask("GET /", { status: 200, body: "0" }),
  },
  {
    name: "server.fetch() calls fetch without the network",
    server: () => ({
      routes: { "/a": () => new Response("route") },
      fetch: (request) =>
        new Response("fetch " + new URL(request.url).pathname),
    }),
    exchange: [
      {
        run: async (server, api) => {
          const url = `http://127.0.0.1:${server.port}/a`;
          api.log(await (await server.fetch(url)).text());
          api.log(await (await server.fetch(new Request(url))).text());
        },
      },
    ],
    log: ["fetch /a", "fetch /a"],
  },
  {
    name: "server.fetch() takes a path and hands failures to its caller",
    server: (api) => ({
      fetch: (request) => {
        if (request.method === "POST") throw new Error("boom");
        return new Response(new URL(request.url).pathname);
      },
      error: () => {
        api.log("error");
        return new Response("handled");
      },
    }),
    exchange: [{
      async run(server, api) {
        api.log(await (await server.fetch("/path")).text());
        const failing = new Request(server.url, { method: "POST" });
        try {
          await server.fetch(failing);
        } catch (error) {
          api.log((error as Error).message);
        }
      },
    }],
    log: ["/path", "boom"],
  },
  {
    name: "server.fetch() without a fetch handler rejects",
    server: () => ({ routes: { "/": () => new Response("route") } }),
    exchange: [{
      async run(server, api) {
        try {
          await server.fetch("/");
          api.log("did not throw");
        } catch (error) {
          api.log(String(error instanceof Error));
        }
      },
    }],
    log: ["true"],
  },
  {
    name: "reload returns the server and keeps everything that is left out",
    server: () => ({
      routes: { "/route": () => new Response("route") },
      fetch: (request) => {
        if (request.method === "POST") throw new Error("boom");
        return new Response("fetch");
      },
      error: () => new Response("error", { status: 555 }),
    }),
    exchange: [
      {
        run: (server, api) => {
          api.log(String(server.reload({}) === server));
          server.reload({
            fetch: undefined,
            routes: undefined,
            error: undefined,
          });
        },
      },
      ask("GET /route", { status: 200, body: "route" }),
      ask("GET /", { status: 200, body: "fetch" }),
      ask("POST /", { status: 555, body: "error" }),
    ],
    log: ["true"],
  },
  {
    name: "reload of a static Response answers with the new one",
    server: () => ({ routes: { "/": new Response("old") } }),
    exchange: [
      ask("GET /", { status: 200, body: "old" }),
      {
        run: (server) => {
          server.reload({ routes: { "/": new Response("new") } });
        },
      },
      ask("GET /", { status: 200, body: "new" }),
    ],
  },
  {
    name: "reload inside a handler is for the next request",
    server: () => ({
      fetch: (_request, server) => {
        server.reload({ fetch: () => new Response("new") });
        return new Response("old");
      },
    }),
    exchange: [
      { send: request("GET /").repeat(2) },
      { receive: { status: 200, body: "old" } },
      { receive: { status: 200, body: "new" } },
    ],
  },
  {
    name: "a request in flight fails into the old error",
    server: (api) => {
      const reloaded = gate();
      return {
        routes: {
          "/reload": (_request, server) => {
            server.reload({ error: () => new Response("new error") });
            reloaded.open();
            return new Response("reloaded");
          },
        },
        fetch: async () => {
          api.log("waiting");
          await reloaded.wait;
          throw new Error("boom");
        },
        error: () => new Response("old error", { status: 555 }),
      };
    },
    exchange: [
      { connection: "a", send: request("GET /") },
      { connection: "a", logged: "waiting" },
      ask("GET /reload", { status: 200, body: "reloaded" }),
      { connection: "a", receive: { status: 555, body: "old error" } },
    ],
    log: ["waiting"],
    bun: "asks the new error handler for a request that began before",
  },
  {
    name: "reload of fetch keeps routes and error",
    server: () => ({
      routes: { "/route": () => new Response("old route") },
      fetch: () => new Response("old fetch"),
      error: () => new Response("old error", { status: 555 }),
    }),
    exchange: [
      ask("GET /", { status: 200, body: "old fetch" }),
      {
        run: (server) => {
          server.reload({
            fetch: (request: Request) => {
              if (request.method === "POST") throw new Error("boom");
              return new Response("new fetch");
            },
          });
        },
      },
      ask("GET /", { status: 200, body: "new fetch" }),
      ask("GET /route", { status: 200, body: "old route" }),
      ask("POST /", { status: 555, body: "old error" }),
    ],
  },
  {
    name: "reload of routes replaces all of them and keeps fetch",
    server: () => ({
      routes: {
        "/a": () => new Response("old a"),
        "/b": () => new Response("old b"),
      },
      fetch: () => new Response("old fetch"),
    }),
    exchange: [
      ask("GET /b", { status: 200, body: "old b" }),
      {
        run: (server) => {
          server.reload({ routes: { "/a": new Response("new a") } });
        },
      },
      ask("GET /a", { status: 200, body: "new a" }),
      ask("GET /b", { status: 200, body: "old fetch" }),
    ],
  },
  {
    name: "reload of error",
    server: () => ({
      fetch: () => {
        throw new Error("boom");
      },
    }),
    exchange: [
      ask("GET /", { status: 500 }),
      {
        run: (server) => {
          server.reload({ error: () => new Response("new", { status: 555 }) });
        },
      },
      ask("GET /", { status: 555, body: "new" }),
    ],
  },
  {
    name: "reload tolerates a spread server and options of the socket",
    server: () => ({ fetch: () => new Response("old") }),
    exchange: [
      {
        run: (server) => {
          server.reload({
            ...server,
            port: 1,
            hostname: "elsewhere",
            fetch: () => new Response("new"),
          });
        },
      },
      ask("GET /", { status: 200, body: "new" }),
    ],
  },
  {
    name: "a request in flight finishes on the old handler",
    server: (api) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return {
        routes: {
          "/wait": async () => {
            api.log("waiting");
            await promise;
            return new Response("old");
          },
          "/reload": (_request, server) => {
            server.reload({ routes: { "/wait": () => new Response("new") } });
            resolve();
            return new Response("reloaded");
          },
        },
      };
    },
    exchange: [
      { connection: "a", send: request("GET /wait") },
      { connection: "a", logged: "waiting" },
      ask("GET /reload", { status: 200, body: "reloaded" }),
      { connection: "a", receive: { status: 200, body: "old" } },
      ask("GET /wait", { status: 200, body: "new" }),
    ],
    log: ["waiting"],
  },
  {
    name: "a reload that fails changes nothing",
    server: () => ({
      routes: { "/a": () => new Response("old") },
      fetch: () => new Response("old fetch"),
    }),
    exchange: [
      {
        run: (server, api) => {
          try {
            server.reload({ routes: { a: () => new Response("bad") } });
            api.log("did not throw");
          } catch (error) {
            api.log((error as Error).name);
          }
        },
      },
      ask("GET /a", { status: 200, body: "old" }),
      ask("GET /b", { status: 200, body: "old fetch" }),
    ],
    log: ["TypeError"],
  },
  {
    name: "a reload that is half good changes nothing",
    server: () => ({
      routes: { "/a": () => new Response("old a") },
      fetch: () => new Response("old fetch"),
    }),
    exchange: [
      {
        run: (server, api) => {
          const bad = [
            { fetch: () => new Response("new"), routes: { "/a": 1 } },
            { routes: { "/a": () => new Response("new") }, fetch: 5 },
            { fetch: () => new Response("new"), error: "x" },
            { fetch: () => new Response("new"), routes: { "/a": null } },
          ];
          for (const options of bad) {
            try {
              server.reload(options);
              api.log("did not throw");
            } catch (error) {
              api.log((error as Error).name);
            }
          }
        },
      },
      ask("GET /a", { status: 200, body: "old a" }),
      ask("GET /b", { status: 200, body: "old fetch" }),
    ],
    log: ["TypeError", "TypeError", "TypeError", "TypeError"],
  },
  {
    name: "stop refuses new connections and waits for what is in flight",
    server: (api) => {
      return {
        fetch: async (_request, server) => {
          api.log("waiting");
          const { url } = server;
          server.stop().then(() => api.log("stopped"));
          await new Promise((resolve) => setTimeout(resolve, 20));
          await logReachable(api, url);
          return new Response("finished");
        },
      };
    },
    exchange: [
      { send: request("GET /") },
      { receive: { status: 200, body: "finished" } },
      { closed: true },
      { logged: "stopped" },
    ],
    log: ["waiting", "refused", "stopped"],
  },
  {
    name: "stop lets a stream in flight finish and then closes",
    server: (api) => ({
      fetch: () => {
        let next = 0;
        return new Response(
          new ReadableStream({
            async pull(controller) {
              if (next === 1) api.log("streaming");
              await new Promise((resolve) => setTimeout(resolve, 10));
              if (next++ === 5) return controller.close();
              controller.enqueue(new TextEncoder().encode("part "));
            },
          }),
        );
      },
    }),
    exchange: [
      { send: request("GET /") },
      { logged: "streaming" },
      {
        run: (server, api) => void server.stop().then(() => api.log("stopped")),
      },
      { receive: { status: 200, body: "part ".repeat(5) } },
      { closed: true },
      { logged: "stopped" },
    ],
    log: ["streaming", "stopped"],
  },
  {
    name: "stop(true) cuts a stream",
    server: (api) => ({
      fetch: () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode("part"));
            },
            pull() {
              api.log("streaming");
              return new Promise(() => {});
            },
            cancel() {
              api.log("cancelled");
            },
          }),
        ),
    }),
    exchange: [
      { send: request("GET /") },
      { logged: "streaming" },
      { pause: 20 },
      { run: (server) => void server.stop(true) },
      { receive: { status: 200, body: "part", truncated: true } },
      { logged: "cancelled" },
    ],
    log: ["streaming", "cancelled"],
  },
  {
    name: "stop(true) after stop() cuts what the first waits for",
    server: (api) => ({
      fetch: () => {
        api.log("waiting");
        return new Promise(() => {});
      },
    }),
    exchange: [
      { send: request("GET /") },
      { logged: "waiting" },
      {
        async run(server, api) {
          const stopping = server.stop().then(() => api.log("stopped"));
          await server.stop(true);
          await stopping;
        },
      },
      { logged: "stopped" },
    ],
    log: ["waiting", "stopped"],
  },
  {
    name: "the port is free after stop",
    server: () => ({ fetch: () => new Response("first") }),
    exchange: [{
      async run(server, api) {
        const { port } = server;
        await server.stop();
        const second = api.serve({
          port,
          hostname: "127.0.0.1",
          fetch: () => new Response("second"),
        });
        await logReachable(api, second.url);
        await second.stop(true);
      },
    }],
    log: ["reached: second"],
  },
  {
    name: "disposing stops the server",
    server: () => ({ fetch: () => new Response("") }),
    exchange: [{
      async run(_server, api) {
        const server = api.serve({
          port: 0,
          hostname: "127.0.0.1",
          fetch: () => new Response("yes"),
        });
        const { url } = server;
        await logReachable(api, url);
        (server as unknown as Disposable)[Symbol.dispose]();
        await new Promise((resolve) => setTimeout(resolve, 20));
        await logReachable(api, url);
        await server.stop(true);
      },
    }],
    log: ["reached: yes", "refused"],
  },
  {
    name: "disposing with await waits until the server has stopped",
    server: () => ({ fetch: () => new Response("") }),
    exchange: [{
      async run(_server, api) {
        const server = api.serve({
          port: 0,
          hostname: "127.0.0.1",
          fetch: () => new Response("yes"),
        });
        const { url } = server;
        await logReachable(api, url);
        await (server as unknown as AsyncDisposable)[Symbol.asyncDispose]();
        await logReachable(api, url);
      },
    }],
    log: ["reached: yes", "refused"],
    bun: "has no Symbol.asyncDispose",
  },
  {
    name: "closeIdleConnections closes idle connections and no others",
    server: (api) => {
      const finish = gate();
      return {
        routes: {
          "/wait": async () => {
            api.log("waiting");
            await finish.wait;
            return new Response("finished");
          },
          "/finish": () => {
            finish.open();
            return new Response("finishing");
          },
        },
        fetch: () => new Response("idle"),
      };
    },
    exchange: [
      ask("GET /", { status: 200, body: "idle" }),
      { connection: "busy", send: request("GET /wait") },
      { logged: "waiting" },
      {
        run: (server, api) =>
          api.log(`closed ${server.closeIdleConnections?.()}`),
      },
      { closed: true },
      { connection: "other", send: request("GET /finish") },
      { connection: "other", receive: { status: 200, body: "finishing" } },
      { connection: "busy", receive: { status: 200, body: "finished" } },
    ],
    log: ["waiting", "closed 1"],
    skip: { deno: "Deno.serve does not show its connections" },
  },
  {
    name: "stop lets a request in flight finish",
    server: (api) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return {
        id: "graceful",
        routes: {
          "/wait": async (_request, server) => {
            server.stop().then(() => api.log("stopped"));
            api.log("waiting");
            setTimeout(resolve, 30);
            await promise;
            api.log("answering");
            return new Response("finished");
          },
        },
      };
    },
    exchange: [
      { send: request("GET /wait") },
      { receive: { status: 200, body: "finished" } },
      { close: true },
      { logged: "stopped" },
    ],
    log: ["waiting", "answering", "stopped"],
  },
  {
    name: "stop closes idle connections",
    server: () => ({ fetch: () => new Response("ok") }),
    exchange: [
      ask("GET /", { status: 200, body: "ok" }),
      {
        run: async (server, api) => {
          await server.stop();
          api.log("stopped");
        },
      },
      { closed: true },
    ],
    log: ["stopped"],
  },
  {
    name: "stop closes a connection that has sent nothing yet",
    server: () => ({ fetch: () => new Response("ok") }),
    exchange: [
      { connection: "silent", open: true },
      ask("GET /", { status: 200, body: "ok" }),
      {
        run: async (server, api) => {
          await server.stop();
          api.log("stopped");
        },
      },
      { connection: "silent", closed: true },
    ],
    log: ["stopped"],
    bun: "leaves a connection that has sent nothing open when it stops",
  },
  {
    name: "stop(true) closes a connection that has sent half a head",
    server: () => ({ fetch: () => new Response("ok") }),
    exchange: [
      { connection: "half", send: "GET / HTTP/1.1\r\nHost: local" },
      ask("GET /", { status: 200, body: "ok" }),
      {
        run: async (server, api) => {
          await server.stop(true);
          api.log("stopped");
        },
      },
      { connection: "half", closed: true },
    ],
    log: ["stopped"],
  },
  {
    name: "stop(true) cuts a request in flight",
    server: (api) => ({
      fetch: (request) => {
        request.signal.addEventListener("abort", () => api.log("aborted"));
        api.log("waiting");
        return new Promise(() => {});
      },
    }),
    exchange: [
      { send: request("GET /") },
      { logged: "waiting" },
      {
        run: async (server, api) => {
          await server.stop(true);
          api.log("stopped");
        },
      },
      { closed: true },
    ],
  },
  {
    name: "stop twice is harmless",
    server: () => ({ fetch: () => new Response("ok") }),
    exchange: [
      ask("GET /", { status: 200 }, { headers: { Connection: "close" } }),
      {
        run: async (server, api) => {
          await server.stop();
          await server.stop();
          await server.stop(true);
          api.log("stopped");
        },
      },
    ],
    log: ["stopped"],
  },
  {
    name: "ref and unref are there",
    server: () => ({ fetch: () => new Response("ok") }),
    exchange: [
      {
        run: (server) => {
          server.unref();
          server.ref();
        },
      },
      ask("GET /", { status: 200, body: "ok" }),
    ],
  },
  {
    name: "a default export spread into the options is tolerated",
    server: () => ({
      fetch: () => new Response("ok"),
      name: "app",
      router: { routes: [] },
      tls: undefined,
      unix: undefined,
      error: undefined,
      idleTimeout: undefined,
      maxRequestBodySize: undefined,
    }),
    exchange: ask("GET /", { status: 200, body: "ok" }),
  },
  {
    name: "fetch may be a Proxy",
    server: () => ({
      fetch: new Proxy(() => new Response("proxied"), {}),
    }),
    exchange: ask("GET /", { status: 200, body: "proxied" }),
  },
];
