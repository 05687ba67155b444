import { assert, assertEquals } from "@std/assert";
import { text } from "../conformance/web_socket.ts";
import { countsOf, Member } from "./crowd.ts";
import { scaled } from "./full.ts";
import { eventually, HostileProgram, testOn } from "./program.ts";

/** Clients that come and go, and how many of them at a time. */
const CLIENTS = scaled(500, 5000);
const AT_ONCE = scaled(50, 500);

/** The ways in which a client leaves. */
const leave: readonly ((member: Member) => void)[] = [
  (member) => member.reset(),
  (member) => member.hangUp(),
  (member) => {
    member.send(text("last words"));
    member.reset();
  },
];

testOn(
  ["native", "deno"],
  `${CLIENTS} subscribers come and die while a topic is published`,
  async (engine) => {
    await using program = await HostileProgram.start("web_sockets", engine);
    await program.get("/counts");
    const faithful = await Member.connect(program.port, "/news");
    const before = program.usage();
    await program.get("/flood");
    let coming = CLIENTS;
    async function come(): Promise<void> {
      while (coming > 0) {
        const index = coming--;
        const member = await Member.connect(program.port, "/news");
        // Some leave at once, some hear a few first.
        const wanted = index % 4;
        await member.until(
          "news",
          () => member.messages.length >= wanted || member.isOver,
        );
        leave[index % leave.length]!(member);
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, come));
    const during = await countsOf(program);
    await faithful.until(
      "the latest news",
      () => faithful.messages.length >= during.published,
    );
    await program.get("/calm");
    await eventually(
      "all that left are gone",
      async () => (await countsOf(program)).sockets === 1,
    );
    const { opened, closed, subscribers } = await countsOf(program);
    assertEquals([opened, closed, subscribers], [CLIENTS + 1, CLIENTS, 1]);
    // Who stayed has missed nothing.
    const numbers = faithful.messages.map((message) => parseInt(message));
    assertEquals(numbers, numbers.map((_, index) => index + 1));
    faithful.hangUp();
    await eventually(
      "descriptors are back",
      () => program.usage().descriptors <= before.descriptors + 5,
    );
    const grown = program.usage().memory - before.memory;
    // Deno keeps some 20 KiB of each for a while.
    const allowed = 64 * 1024 * 1024 + CLIENTS * 32 * 1024;
    assert(grown < allowed, `Memory grew by ${grown} bytes`);
  },
);
