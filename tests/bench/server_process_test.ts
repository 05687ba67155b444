import { assertEquals, assertRejects } from "@std/assert";
import {
  parseAnnouncement,
  reasonOf,
  ServerProcess,
} from "../../bench/method/server_process.ts";
import { checkAnswer } from "../../bench/method/http_check.ts";
import { utf8 } from "../../bench/workloads/content.ts";

Deno.test("parseAnnouncement: a line of JSON with a port", () => {
  assertEquals(parseAnnouncement(`{"port":3000,"engine":"deno"}`), {
    port: 3000,
    engine: "deno",
  });
  for (const line of ["", "3000", "null", `{"port":"3000"}`, "Listening"]) {
    assertEquals(parseAnnouncement(line), undefined);
  }
});

Deno.test("reasonOf: the line with the error, without what surrounds it", () => {
  const errors = [
    `error: Uncaught (in promise) Error: Cannot use engine "x": not built`,
    "  throw new Error(`no`);",
    "    at file:///engine.ts:3:9",
  ];
  assertEquals(
    reasonOf(errors.join("\n")),
    `Cannot use engine "x": not built`,
  );
  assertEquals(reasonOf("warning\nTypeError: No\n"), "TypeError: No");
  assertEquals(reasonOf("\n"), "");
});

Deno.test("ServerProcess: says why a server did not start", async () => {
  const command = {
    program: Deno.execPath(),
    args: ["eval", `throw new RangeError("Cannot listen here")`],
    env: {},
  };
  await assertRejects(
    () => ServerProcess.start(command),
    Error,
    "Cannot listen here",
  );
});

Deno.test("checkAnswer: status, headers and content must be right", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("Hello", { headers: { "x-a": "1" } }),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const request = {
    method: "GET",
    path: "/",
    headers: {},
    content: "",
  } as const;
  const right = {
    status: 200,
    headers: { "x-a": "1" },
    content: () => utf8("Hello"),
  };
  await checkAnswer(origin, request, right);
  const wrong = [
    { ...right, status: 206 },
    { ...right, headers: { "x-a": "2" } },
    { ...right, content: () => utf8("Hallo") },
    { ...right, content: () => utf8("Hello!") },
  ];
  for (const expected of wrong) {
    await assertRejects(
      () => checkAnswer(origin, request, expected),
      Error,
      "wrong answer",
    );
  }
});
