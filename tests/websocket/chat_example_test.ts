import { assertEquals } from "@std/assert";
import { RunningProgram } from "../entry/running_program.ts";
import { testOnEngines } from "./engines.ts";

/** Somebody who chats, and everything they read. */
class Guest {
  readonly lines: string[] = [];
  readonly #socket: WebSocket;

  constructor(url: string, room: string, name: string) {
    const query = new URLSearchParams({ room, name });
    this.#socket = new WebSocket(`${url.replace("http", "ws")}chat?${query}`);
    this.#socket.onmessage = ({ data }) =>
      this.lines.push(JSON.parse(data).line);
  }

  say(text: string): void {
    this.#socket.send(text);
  }

  async hears(line: string): Promise<void> {
    for (let tries = 0; !this.lines.includes(line); tries++) {
      if (tries === 1000) throw new Error(`Never heard "${line}"`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async leave(): Promise<void> {
    const left = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#socket.close();
    await left;
  }
}

testOnEngines(
  "examples/chat.ts lets people in one room hear each other",
  async ({ name }) => {
    await using program = new RunningProgram({
      args: ["run", "-A", "examples/chat.ts"],
      env: { JSTIME_ENGINE: name },
    });
    const url = await program.url();
    const page = await fetch(url);
    assertEquals(page.headers.get("content-type"), "text/html;charset=utf-8");
    await page.body?.cancel();

    const ada = new Guest(url, "tea", "Ada");
    await ada.hears("Ada is here");
    const eve = new Guest(url, "cake", "Eve");
    await eve.hears("Eve is here");
    const bob = new Guest(url, "tea", "Bob");
    await ada.hears("Bob is here");
    ada.say("Tea?");
    await bob.hears("Ada: Tea?");
    await bob.leave();
    await ada.hears("Bob has left");
    assertEquals(ada.lines, [
      "Ada is here",
      "Bob is here",
      "Ada: Tea?",
      "Bob has left",
    ]);
    assertEquals(eve.lines, ["Eve is here"]);
    await ada.leave();
    await eve.leave();
  },
);

testOnEngines(
  "examples/chat.ts keeps pages of other sites out",
  async ({ name }) => {
    await using program = new RunningProgram({
      args: ["run", "-A", "examples/chat.ts"],
      env: { JSTIME_ENGINE: name },
    });
    const response = await fetch(await program.url("chat"), {
      headers: { origin: "https://elsewhere.example" },
    });
    assertEquals(response.status, 403);
    await response.body?.cancel();
    const plain = await fetch(await program.url("chat"));
    assertEquals(plain.status, 426);
    await plain.body?.cancel();
  },
);
