import { assertEquals } from "@std/assert";
import {
  LONGEST_HELLO,
  requestedServerName,
} from "../../src/engine/deno/tls_client_hello.ts";
import {
  hello,
  helloMessage,
  number,
  records,
  serverNameExtension,
  vector,
} from "./client_hello.ts";

const other = [43, [2, 3, 4]] as const;

Deno.test("the server name is found among the extensions", () => {
  const name = serverNameExtension("a.test");
  for (const extensions of [[name], [other, name], [name, other]]) {
    const bytes = records(helloMessage({ extensions }));
    assertEquals(requestedServerName(bytes), "a.test");
  }
});

Deno.test("the name is as the client wrote it", () => {
  assertEquals(requestedServerName(hello("A.Test")), "A.Test");
  assertEquals(requestedServerName(hello("")), "");
});

Deno.test("a hello without a name asks for none", () => {
  for (const extensions of [[], [other]]) {
    const bytes = records(helloMessage({ extensions }));
    assertEquals(requestedServerName(bytes), "");
  }
});

Deno.test("names of other types are skipped", () => {
  const list = [9, ...vector([1, 2], 2), 0, ...vector([97], 2)];
  const extensions = [[0, vector(list, 2)] as const];
  const bytes = records(helloMessage({ extensions }));
  assertEquals(requestedServerName(bytes), "a");
});

Deno.test("every beginning of a hello needs more, whatever its records", () => {
  const message = helloMessage({ extensions: [serverNameExtension("a.test")] });
  for (const size of [1, 2, 5, 40, 16384]) {
    const bytes = records(message, size);
    for (let length = 0; length < bytes.length; length++) {
      const beginning = bytes.subarray(0, length);
      assertEquals(requestedServerName(beginning), undefined);
    }
    assertEquals(requestedServerName(bytes), "a.test");
  }
});

Deno.test("records after the hello make no difference", () => {
  const early = [20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 2];
  const bytes = Uint8Array.from([...hello("a.test"), ...early]);
  assertEquals(requestedServerName(bytes), "a.test");
});

Deno.test("a hello that breaks off for another record has no name", () => {
  const beginning = helloMessage({}).slice(0, 20);
  const bytes = Uint8Array.from([...records(beginning), 21, 3, 1]);
  assertEquals(requestedServerName(bytes), "");
});

Deno.test("what is no hello has no name, at once", () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  for (const text of ["GET / HTTP/1.1\r\n", "\0", "\x80", "SSH-2.0-x\r\n"]) {
    assertEquals(requestedServerName(encode(text)), "");
  }
  assertEquals(requestedServerName(records([2, 0, 0, 1, 1])), "");
});

Deno.test("lengths that reach beyond their end give no name", () => {
  const message = helloMessage({ extensions: [serverNameExtension("a.test")] });
  // Every byte of the message, in turn, as large as can be.
  for (let index = 4; index < message.length; index++) {
    const changed = message.with(index, 255);
    const name = requestedServerName(records(changed));
    assertEquals(typeof name, "string");
  }
  for (let length = 0; length < message.length - 4; length++) {
    const cut = [1, ...number(length, 3), ...message.slice(4, 4 + length)];
    assertEquals(requestedServerName(records(cut)), "");
  }
});

Deno.test("a hello that never ends is given up", () => {
  const endless = [1, ...number(0xffffff, 3)];
  while (endless.length < LONGEST_HELLO) endless.push(0);
  const bytes = records(endless);
  assertEquals(requestedServerName(bytes.subarray(0, 1000)), undefined);
  assertEquals(requestedServerName(bytes.subarray(0, LONGEST_HELLO)), "");
  const empty = new Uint8Array(LONGEST_HELLO);
  for (let start = 0; start + 5 < empty.length; start += 5) empty[start] = 22;
  assertEquals(requestedServerName(empty), "");
});
