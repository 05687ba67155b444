import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { HostileProgram, testOn } from "./program.ts";

const SIZE = 64 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Everything until the connection ends, by its end or by a reset. */
async function readRest(connection: Deno.Conn): Promise<Uint8Array> {
  // Room for the head as well.
  const received = new Uint8Array(SIZE + 65_536);
  let length = 0;
  try {
    while (true) {
      const count = await connection.read(received.subarray(length));
      if (count === null) break;
      length += count;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  return received.subarray(0, length);
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Changes a file while a client has read some of it; what it got in the end. */
async function downloadWhile(
  engine: "deno" | "native",
  route: string,
  change: (path: string) => Promise<void>,
): Promise<{ complete: boolean; same: boolean }> {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/file`;
  try {
    const bytes = new Uint8Array(SIZE);
    for (let offset = 0; offset < SIZE; offset += 4096) {
      bytes.fill(offset / 4096, offset, offset + 4096);
    }
    await Deno.writeFile(path, bytes);
    await using program = await HostileProgram.start("server", engine, {
      FILE: path,
    });
    using connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: program.port,
    });
    await connection.write(
      encoder.encode(
        `GET ${route} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      ),
    );
    const start = new Uint8Array(12);
    await connection.read(start);
    assertEquals(decoder.decode(start), "HTTP/1.1 200");
    await change(path);
    const rest = await readRest(connection);
    const complete = rest.length > SIZE;
    const same = complete && digest(rest.subarray(-SIZE)) === digest(bytes);
    assertEquals(await program.get("/static"), "static");
    return { complete, same };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

for (const route of ["/file", "/handler-file"]) {
  testOn(
    ["native", "deno"],
    `a file truncated while ${route} sends it cuts the connection`,
    async (engine) => {
      const { complete } = await downloadWhile(
        engine,
        route,
        (path) => Deno.truncate(path, 1024 * 1024),
      );
      assert(!complete);
    },
  );

  testOn(
    ["native", "deno"],
    `a file deleted while ${route} sends it arrives whole`,
    async (engine) => {
      const { same } = await downloadWhile(
        engine,
        route,
        (path) => Deno.remove(path),
      );
      assert(same);
    },
  );

  testOn(
    ["native", "deno"],
    `a file replaced while ${route} sends it arrives as it was`,
    async (engine) => {
      const { same } = await downloadWhile(engine, route, async (path) => {
        await Deno.writeTextFile(`${path}.new`, "other");
        await Deno.rename(`${path}.new`, path);
      });
      assert(same);
    },
  );
}
