/**
 * The same servers written by hand for `Deno.serve`, as well as is reasonable:
 * no `new URL`, no router, nothing that the one workload does not need.
 *
 * @module
 */

const [workload = "", variant = "", path = ""] = Deno.args;
Deno.serve(
  {
    hostname: "127.0.0.1",
    port: 0,
    onListen: (address) => console.log(address.port),
  },
  handlerFor(workload),
);

function handlerFor(workload: string): Deno.ServeHandler {
  switch (workload) {
    case "hello":
      return () => new Response("Hello");
    case "static":
      return variant === "etag" ? staticWithEntityTag() : staticPlain;
    case "params":
      return params;
    case "json":
      return json;
    default:
      return sendFile;
  }
}

function staticPlain(request: Request): Response {
  if (pathOf(request) !== "/static") return notFound();
  return new Response("Hello");
}

function staticWithEntityTag(): Deno.ServeHandler {
  const entityTag = '"f7ff9e8b"';
  const headers = {
    "content-type": "text/plain;charset=utf-8",
    "etag": entityTag,
  };
  return (request) => {
    if (pathOf(request) !== "/static") return notFound();
    const known = request.headers.get("if-none-match");
    return known !== null && known.includes(entityTag)
      ? new Response(null, { status: 304, headers })
      : new Response("Hello", { headers });
  };
}

function params(request: Request): Response {
  const parts = pathOf(request).split("/");
  if (parts.length !== 5 || parts[1] !== "users" || parts[3] !== "posts") {
    return notFound();
  }
  const user = decodeURIComponent(parts[2]!);
  const post = decodeURIComponent(parts[4]!);
  return new Response(`${user} ${post}`);
}

async function json(request: Request): Promise<Response> {
  if (request.method !== "POST" || pathOf(request) !== "/orders") {
    return notFound();
  }
  const { customer, items } = await request.json();
  return Response.json({ customer, items: items.length });
}

async function sendFile(): Promise<Response> {
  const file = await Deno.open(path);
  return new Response(file.readable);
}

function pathOf(request: Request): string {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return query === -1 ? url.slice(start) : url.slice(start, query);
}

function notFound(): Response {
  return new Response("Not found", { status: 404 });
}
