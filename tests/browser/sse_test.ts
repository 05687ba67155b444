import { assertEquals } from "@std/assert";
import { RunningProgram } from "../entry/running_program.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { findChromium } from "./chromium.ts";
import { Browser } from "./devtools.ts";

const chromium = findChromium();

/**
 * Whether the page listens to what others say. The empty page that there is
 * before it is complete as well, and has no `wall`.
 */
const LISTENS =
  `typeof wall === "object" && wall.readyState === EventSource.OPEN &&
  document.readyState === "complete"`;

testOnEngines(
  "examples/sse.ts: a page shows the time, and what others say",
  async ({ name }) => {
    await using program = new RunningProgram({
      args: ["run", "-A", "examples/sse.ts"],
      env: { JSTIME_ENGINE: name },
    });
    const url = await program.url();
    await using browser = await Browser.start(chromium!);
    const page = await browser.open(url);
    await page.until(
      String.raw`/^\d\d:\d\d:\d\d$/.test(find("output").textContent)`,
    );
    await page.until(LISTENS);
    const other = await browser.open(url);
    await other.until(LISTENS);
    for (const text of ["Hello\nthere", "<b>bold</b>"]) {
      const said = await fetch(`${url}wall`, { method: "POST", body: text });
      await said.body?.cancel();
    }
    for (const each of [page, other]) {
      await each.until(`document.querySelectorAll("li").length === 2`);
      assertEquals(
        await each.evaluate(
          `Array.from(document.querySelectorAll("li"), (it) => it.textContent)`,
        ),
        ["<b>bold</b>", "Hello\nthere"],
      );
    }
  },
  { ignore: chromium === undefined },
);
