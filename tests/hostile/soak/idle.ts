/**
 * What WebSockets cost that do nothing.
 *
 * @module
 */
import { text } from "../../conformance/web_socket.ts";
import { connectCrowd } from "../crowd.ts";
import {
  type EngineName,
  eventually,
  HostileProgram,
  type Usage,
} from "../program.ts";
import { describe } from "./samples.ts";

/** Descriptors that a process needs beside its sockets. */
const OTHERS = 200;

/**
 * Connects clients that say one thing and then nothing, and prints the memory
 * that the server needs for each.
 *
 * @param engine An engine, or `bun` to compare with.
 * @returns Whether all were kept, and all descriptors given back in the end.
 * @throws {Error} If so many descriptors are not allowed.
 */
export async function soakIdle(
  engine: EngineName | "bun",
  count: number,
): Promise<boolean> {
  await allowDescriptors(count + OTHERS);
  await using program = await HostileProgram.start(
    "idle",
    engine === "bun" ? "deno" : engine,
    {},
    engine === "bun" ? "bun" : ["--v8-flags=--expose-gc"],
  );
  const before = await rest(program);
  console.log(`Before: ${describe(before)}`);
  const members = await connectCrowd(program.port, count);
  for (const member of members) member.send(text("hello"));
  for (const member of members) {
    await member.until("an echo", () => member.messages.length > 0);
  }
  const during = await rest(program);
  const each = Math.round((during.memory - before.memory) / count);
  console.log(`${count} idle: ${describe(during)}, ${each} bytes per socket`);
  const kept = await program.get("/sockets");
  for (const member of members) member.hangUp();
  await eventually(
    "all are gone",
    async () => await program.get("/sockets") === "0",
  );
  const after = await rest(program);
  console.log(`After: ${describe(after)}`);
  return kept === String(count) &&
    after.descriptors <= before.descriptors + 20;
}

/** What a program uses when nothing has happened for a while. */
async function rest(program: HostileProgram): Promise<Usage> {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await program.get("/collect");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return program.usage();
}

/** Lets this process, and those that it starts, have so many descriptors. */
async function allowDescriptors(count: number): Promise<void> {
  const limits = await Deno.readTextFile("/proc/self/limits");
  const [, soft, hard] = /^Max open files +(\w+) +(\w+)/m.exec(limits)!;
  const most = (limit: string) => limit === "unlimited" ? Infinity : +limit;
  if (most(soft!) >= count) return;
  if (most(hard!) < count) {
    throw new Error(
      `Cannot open ${count} descriptors: only ${hard} are allowed, ` +
        "raise them with `ulimit -Hn`",
    );
  }
  const { success } = await new Deno.Command("prlimit", {
    args: [`--pid=${Deno.pid}`, `--nofile=${count}:${hard}`],
  }).output();
  if (!success) throw new Error("Cannot raise the limit of descriptors");
}
