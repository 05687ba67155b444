import { assertEquals } from "@std/assert";
import { RunningProgram } from "../entry/running_program.ts";

/** Starts an example on a free port, and connects to it. */
async function startExample(
  program: RunningProgram,
): Promise<Deno.TcpConn> {
  await program.printed("Listening on localhost:");
  await program.printed("\n");
  const port = Number(/Listening on localhost:(\d+)/.exec(program.output)![1]);
  return await Deno.connect({ hostname: "localhost", port });
}

async function readText(conn: Deno.Conn, length: number): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  while (text.length < length) {
    const count = await conn.read(buffer);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text;
}

Deno.test("examples/tcp_echo.ts sends back what it receives", async () => {
  await using program = new RunningProgram({
    args: ["run", "-A", "examples/tcp_echo.ts", "0"],
  });
  using conn = await startExample(program);
  const text = "line\n".repeat(100_000);
  const writer = conn.writable.getWriter();
  const written = writer.write(new TextEncoder().encode(text));
  assertEquals(await readText(conn, text.length), text);
  await written;
});

Deno.test("examples/tcp_buffered.ts sends its table in one piece", async () => {
  await using program = new RunningProgram({
    args: ["run", "-A", "examples/tcp_buffered.ts", "0"],
  });
  using conn = await startExample(program);
  const rows = Array.from(
    { length: 100 },
    (_, index) => `${index + 1} x ${index + 1} = ${(index + 1) ** 2}\n`,
  ).join("");
  assertEquals(await readText(conn, rows.length), rows);
});
