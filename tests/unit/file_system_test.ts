import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fileError, isUnservable } from "../../src/runtime/file_error.ts";
import {
  openFile,
  openForWriting,
  realPath,
  statFile,
  statLink,
} from "../../src/runtime/file_system.ts";
import { TemporaryDirectory } from "./file_fixture.ts";

const MODIFIED = new Date("2020-01-02T03:04:05.678Z");
const isPosix = Deno.build.os !== "windows";

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : error;
}

Deno.test("openFile() tells the facts of a file and of a directory", () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a.txt", "0123456789", MODIFIED);
  const file = openFile(path);
  assertEquals(file.info.size, 10);
  assertEquals(Math.trunc(file.info.modified), MODIFIED.getTime());
  assertEquals(file.info.isFile, true);
  file.close();
  const place = openFile(directory.path);
  assertEquals(place.info.isFile, false);
  place.close();
  place.close();
});

Deno.test("an open file and its path have one identity", () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a.txt", "a");
  const other = directory.write("b.txt", "b");
  const file = openFile(path);
  const identity = (info = file.info) => [info.device, info.inode];
  assertEquals(identity(), identity(statFile(path)));
  assertEquals(identity(), identity(statLink(path)));
  if (isPosix) {
    assert(identity().join() !== identity(statFile(other)).join());
    Deno.symlinkSync(path, directory.at("link"));
    assertEquals(identity(), identity(statFile(directory.at("link"))));
    assert(
      identity().join() !== identity(statLink(directory.at("link"))).join(),
    );
  }
  file.close();
});

Deno.test("openFile() reads any part, blocking or not", async () => {
  using directory = new TemporaryDirectory();
  const file = openFile(directory.write("a.txt", "0123456789"));
  const buffer = new Uint8Array(4);
  const text = () => new TextDecoder().decode(buffer);
  assertEquals(await file.read(buffer, 2), 4);
  assertEquals(text(), "2345");
  assertEquals(file.readSync(buffer, 8), 2);
  assertEquals(text(), "8945");
  assertEquals(file.readSync(buffer, 10), 0);
  assertEquals(await file.read(buffer, 1e12), 0);
  file.close();
  assertThrows(() => file.readSync(buffer, 0), Error, "EBADF");
  await assertRejects(() => file.read(buffer, 0), Error, "EBADF");
});

Deno.test("closing during a read spares the file that is opened next", async () => {
  using directory = new TemporaryDirectory();
  const first = openFile(
    directory.write("a.bin", new Uint8Array(100_000).fill(1)),
  );
  const buffer = new Uint8Array(100_000);
  const pending = first.read(buffer, 0);
  first.close();
  const next = openFile(directory.write("b.bin", new Uint8Array(10).fill(2)));
  assertEquals(await pending, 100_000);
  assertEquals(buffer.every((byte) => byte === 1), true);
  const small = new Uint8Array(10);
  assertEquals(next.readSync(small, 0), 10);
  assertEquals(small[0], 2);
  next.close();
});

Deno.test("openFile() throws errors with code, path and system call", () => {
  using directory = new TemporaryDirectory();
  const cases: [name: string, code: string][] = [["none", "ENOENT"]];
  if (isPosix) {
    directory.write("a.txt");
    directory.pipe("pipe");
    Deno.symlinkSync("loop", directory.at("loop"));
    cases.push(["a.txt/x", "ENOTDIR"], ["pipe", "EINVAL"], ["loop", "ELOOP"]);
    cases.push(["x".repeat(300), "ENAMETOOLONG"]);
  }
  for (const [name, code] of cases) {
    const path = directory.at(name);
    const error = assertThrows(() => openFile(path));
    const { syscall, path: where } = error as unknown as Record<string, string>;
    assertEquals([codeOf(error), where, syscall], [code, path, "open"]);
    assertEquals(isUnservable(error), true);
  }
  if (isPosix) {
    assertEquals(codeOf(assertThrows(() => openFile("/dev/null"))), "EINVAL");
  }
});

Deno.test("isUnservable() is about the path, not about the server", () => {
  assertEquals(isUnservable(fileError("EISDIR", "read", "a")), true);
  assertEquals(
    isUnservable(Object.assign(new Error(), { code: "EMFILE" })),
    false,
  );
  assertEquals(
    isUnservable(Object.assign(new Error(), { code: "EIO" })),
    false,
  );
  assertEquals(isUnservable(new Error("ENOENT")), false);
  assertEquals(isUnservable({ code: "ENOENT" }), false);
  assertEquals(isUnservable(undefined), false);
});

Deno.test("what is not there has no facts", () => {
  using directory = new TemporaryDirectory();
  assertEquals(statFile(directory.at("none")), undefined);
  assertEquals(statLink(directory.at("none")), undefined);
  assertEquals(realPath(directory.at("none")), undefined);
  assertEquals(realPath(directory.at(".")), directory.path);
});

Deno.test({
  name: "a missing permission is an error and not a missing file",
  permissions: { read: false },
  fn() {
    assertThrows(() => statFile("/none"), Deno.errors.NotCapable);
    assertThrows(() => realPath("/none"), Deno.errors.NotCapable);
    assertThrows(() => openFile("/none"), Deno.errors.NotCapable);
  },
});

Deno.test("openForWriting() keeps what is there and writes at a position", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a.txt", "0123456789");
  const file = openForWriting(path, false);
  await file.write(new TextEncoder().encode("ab"), 2);
  file.writeSync(new TextEncoder().encode("c"), 6);
  assertEquals(directory.read("a.txt"), "01ab45c789");
  file.truncate(3);
  file.close();
  file.close();
  assertEquals(directory.read("a.txt"), "01a");
});

Deno.test({
  name: "openForWriting() accepts a device and refuses a pipe",
  ignore: !isPosix,
  fn() {
    using directory = new TemporaryDirectory();
    const device = openForWriting("/dev/null", false);
    device.writeSync(new Uint8Array(3), 0);
    device.truncate(0);
    device.close();
    const pipe = directory.pipe("pipe");
    assertThrows(() => openForWriting(pipe, true), Error, "open");
  },
});
