import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { RunningProgram } from "./entry/running_program.ts";

function example(name: string, ...args: string[]): RunningProgram {
  return new RunningProgram({
    args: ["run", "-A", `examples/${name}`, ...args],
  });
}

async function text(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  assertEquals(response.status, 200, url);
  return await response.text();
}

Deno.test("examples/hello.ts greets", async () => {
  await using program = example("hello.ts");
  const url = await program.url();
  assertStringIncludes(await text(url), "Hello!");
  assertEquals(await text(`${url}hello/a%20user`), "Hello, a user!\n");
  const echo = await fetch(`${url}echo`, { method: "POST", body: '{"a":1}' });
  assertEquals(await echo.json(), { a: 1 });
  const missing = await fetch(`${url}missing`);
  assertEquals(missing.status, 404);
  await missing.body?.cancel();
});

Deno.test("examples/rest_api.ts creates, reads, updates and deletes", async () => {
  await using program = example("rest_api.ts");
  const notes = await program.url("notes");
  const send = (method: string, path: string, body?: unknown) =>
    fetch(notes + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  const created = await send("POST", "", { title: "Tea", text: "Buy some" });
  assertEquals(created.status, 201);
  assertEquals(created.headers.get("location"), "/notes/1");
  const note = { id: 1, title: "Tea", text: "Buy some" };
  assertEquals(await created.json(), note);
  assertEquals(JSON.parse(await text(`${notes}/1`)), note);

  const changed = await send("PUT", "/1", { title: "Tea", text: "Bought" });
  assertEquals(await changed.json(), { ...note, text: "Bought" });
  assertEquals(JSON.parse(await text(notes)), [{ ...note, text: "Bought" }]);

  const deleted = await send("DELETE", "/1");
  assertEquals(deleted.status, 204);
  await deleted.body?.cancel();
  assertEquals(JSON.parse(await text(notes)), []);
});

Deno.test("examples/rest_api.ts refuses what it cannot use", async () => {
  await using program = example("rest_api.ts");
  const notes = await program.url("notes");
  const post = (body: BodyInit) => fetch(notes, { method: "POST", body });
  const questions: [Promise<Response>, number, string | undefined][] = [
    [fetch(`${notes}/9`), 404, "There is no such note"],
    [fetch(`${notes}/abc`), 404, 'There is no note "abc"'],
    [fetch(`${notes}/1' OR 1=1`), 404, `There is no note "1' OR 1=1"`],
    [fetch(`${notes}/9`, { method: "DELETE" }), 404, "There is no such note"],
    [fetch(`${notes}/9/x`), 404, "There is nothing here"],
    [post("{"), 400, "Expected JSON"],
    [post("null"), 422, "Expected a title that is not empty"],
    [post('{"title":" "}'), 422, "Expected a title that is not empty"],
    [post('{"title":1}'), 422, "Expected a title that is not empty"],
    [post('{"title":"a","text":1}'), 422, "Expected a text"],
    [
      post(JSON.stringify({ title: "a".repeat(201) })),
      422,
      "Expected a title of at most 200 characters",
    ],
    [post(`{"title":"${"a".repeat(70_000)}"}`), 413, undefined],
  ];
  for (const [pending, status, message] of questions) {
    const response = await pending;
    const body = await response.text();
    assertEquals(response.status, status, body);
    if (message !== undefined) assertEquals(JSON.parse(body).error, message);
  }
});

Deno.test("examples/rest_api.ts keeps notes in a file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/notes.db`;
    {
      await using program = example("rest_api.ts", path);
      const body = '{"title":"Kept"}';
      const created = await fetch(await program.url("notes"), {
        method: "POST",
        body,
      });
      assertEquals((await created.json()).text, "");
    }
    await using program = example("rest_api.ts", path);
    assertEquals(JSON.parse(await text(await program.url("notes"))), [
      { id: 1, title: "Kept", text: "" },
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("examples/static_site.ts serves its folder", async () => {
  await using program = example("static_site.ts");
  const url = await program.url();
  assertStringIncludes(await text(url), "<h1>A static site</h1>");
  assertStringIncludes(await text(`${url}guide/`), "<h1>The guide</h1>");

  const style = await fetch(`${url}style.css`);
  assertEquals(style.headers.get("content-type"), "text/css;charset=utf-8");
  await style.body?.cancel();

  const redirect = await fetch(`${url}guide`, { redirect: "manual" });
  assertEquals(redirect.status, 301);
  assert(redirect.headers.get("location")!.endsWith("/guide/"));
  await redirect.body?.cancel();

  for (const path of ["nothing", "..%2fhello.ts", "%2e%2e/hello.ts"]) {
    const response = await fetch(url + path);
    assertEquals(response.status, 404, path);
    await response.body?.cancel();
  }
});

Deno.test("examples/sse.ts sends events while the client listens", async () => {
  await using program = example("sse.ts");
  const url = await program.url();
  assertStringIncludes(await text(url), 'new EventSource("/time")');

  const response = await fetch(`${url}time`);
  assertEquals(
    response.headers.get("content-type"),
    "text/event-stream; charset=utf-8",
  );
  const received = await readEvents(response, 3);
  assert(
    /^:\n\n(id: \S+\ndata: \d\d:\d\d:\d\d\n\n)+$/.test(received),
    received,
  );
});

Deno.test("examples/sse.ts tells everybody what was said", async () => {
  await using program = example("sse.ts");
  const url = await program.url("wall");
  const response = await fetch(url);
  const posted = await fetch(url, { method: "POST", body: "Hello\nyou" });
  assertEquals(posted.status, 204);
  const received = await readEvents(response, 2);
  const [, id] =
    /^retry: 1000\n\nid: (\S+)\nevent: said\ndata: Hello\ndata: you\n\n$/
      .exec(received) ?? [];
  assert(id !== undefined, received);

  const missed = await fetch(url, { method: "POST", body: "Anybody?" });
  assertEquals(missed.status, 204);
  const again = await fetch(url, { headers: { "last-event-id": id } });
  assertStringIncludes(await readEvents(again, 2), "data: Anybody?\n\n");
});

/** What a stream sends until there are so many blocks, one by one. */
async function readEvents(response: Response, blocks: number): Promise<string> {
  let received = "";
  for await (
    const chunk of response.body!.pipeThrough(new TextDecoderStream())
  ) {
    received += chunk;
    if (received.split("\n\n").length > blocks) break;
  }
  return received;
}

Deno.test("examples/bun_unchanged.ts runs on Deno as it is", async () => {
  await using program = example("bun_unchanged.ts");
  const url = await program.url();
  assertStringIncludes(await text(url), "written for Bun");
  await text(`${url}visits/ada`);
  const visit = await fetch(`${url}visits/ada`);
  assertEquals(await visit.json(), { name: "ada", count: 2 });
  assert(visit.headers.get("set-cookie")!.startsWith("last-visitor=ada"));
  assertStringIncludes(await text(`${url}source`), "examples/bun_unchanged.ts");
  const missing = await fetch(`${url}x`);
  assertEquals(missing.status, 404);
  assertEquals(await missing.text(), "No route matches /x\n");
});

Deno.test("examples/deploy.ts is what a platform serves", async () => {
  await using program = new RunningProgram({
    args: [
      "serve",
      "-A",
      "--host",
      "127.0.0.1",
      "--port",
      "0",
      "examples/deploy.ts",
    ],
  });
  const url = await program.url();
  assertEquals(await text(url), "Hello from the edge\n");
  assertEquals(await text(`${url}hello/you`), "Hello, you!\n");
  const missing = await fetch(`${url}missing`);
  assertEquals(missing.status, 404);
  await missing.body?.cancel();
});
