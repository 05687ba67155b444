import { assertEquals } from "@std/assert";
import { RunningProgram } from "../entry/running_program.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { findChromium } from "./chromium.ts";
import { Browser, type Page } from "./devtools.ts";

const chromium = findChromium();

/** Everything that was said, as a page shows it. */
function linesOf(page: Page): Promise<unknown> {
  return page.evaluate(
    `Array.from(document.querySelectorAll("li"), (item) => item.textContent)`,
  );
}

async function say(page: Page, text: string): Promise<void> {
  await page.evaluate(`
    document.querySelector("input").value = ${JSON.stringify(text)};
    document.querySelector("button").click();
  `);
}

async function hears(page: Page, line: string): Promise<void> {
  await page.until(
    `Array.from(document.querySelectorAll("li"))
      .some((item) => item.textContent === ${JSON.stringify(line)})`,
  );
}

testOnEngines(
  "examples/chat.ts: two pages chat, a third room hears nothing",
  async ({ name }) => {
    await using program = new RunningProgram({
      args: ["run", "-A", "examples/chat.ts"],
      env: { JSTIME_ENGINE: name },
    });
    const url = await program.url();
    await using browser = await Browser.start(chromium!);
    const elsewhere = await browser.open(`${url}?room=cake&name=Eve`);
    await hears(elsewhere, "Eve is here");
    const ada = await browser.open(`${url}?room=tea&name=Ada`);
    await hears(ada, "Ada is here");
    const bob = await browser.open(`${url}?room=tea&name=Bob`);
    await hears(ada, "Bob is here");

    await say(ada, "Is there tea?");
    await hears(bob, "Ada: Is there tea?");
    await say(bob, "<b>Earl</b> & grey 🫖");
    await hears(ada, "Bob: <b>Earl</b> & grey 🫖");
    assertEquals(await linesOf(ada), [
      "Ada is here",
      "Bob is here",
      "Ada: Is there tea?",
      "Bob: <b>Earl</b> & grey 🫖",
    ]);
    assertEquals(
      await ada.evaluate(`document.querySelector("output").textContent`),
      "2 here",
    );

    await bob.close();
    await hears(ada, "Bob has left");
    assertEquals(await linesOf(elsewhere), ["Eve is here"]);
  },
  { ignore: chromium === undefined },
);
