import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { escapeHtml, scriptData, scriptText } from "../../bench/page/escape.ts";
import {
  loadLibraries,
  type PlotLibraries,
} from "../../bench/page/libraries.ts";
import { pageOf } from "../../bench/page/page.ts";
import { findChromium, QUIET_FLAGS } from "../browser/chromium.ts";
import { results } from "./fixture.ts";

const chromium = findChromium();
const libraries = await loadLibraries().catch((error: Error) => {
  console.warn(`Skipped the test of the page with plots: ${error.message}`);
  return undefined;
});

/** What a browser makes of a file, and what it complains about. */
async function openPage(
  path: string,
): Promise<{ readonly html: string; readonly complaints: readonly string[] }> {
  const profile = await Deno.makeTempDir({ prefix: "chromium-" });
  try {
    const { stdout, stderr } = await new Deno.Command(chromium!, {
      args: [
        ...QUIET_FLAGS,
        `--user-data-dir=${profile}`,
        "--enable-logging=stderr",
        "--virtual-time-budget=5000",
        "--dump-dom",
        `file://${path}`,
      ],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    const lines = decoder.decode(stderr).split("\n");
    return {
      html: decoder.decode(stdout),
      complaints: lines.filter((line) => line.includes("CONSOLE")),
    };
  } finally {
    await Deno.remove(profile, { recursive: true });
  }
}

async function openPageOf(
  libraries: PlotLibraries,
  addition = "",
): ReturnType<typeof openPage> {
  const folder = await Deno.makeTempDir({ prefix: "page-" });
  try {
    const path = `${folder}/page.html`;
    const page = await pageOf(results(), libraries);
    await Deno.writeTextFile(path, page + addition);
    return await openPage(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "the page draws a plot for each case, offline, without complaints",
  ignore: chromium === undefined || libraries === undefined,
  async fn() {
    const { html, complaints } = await openPageOf(libraries!);
    assertEquals(complaints, []);
    assertEquals(html.match(/<figure>/g)?.length, 2);
    // Three bars, the JavaScript part of each, and three rounds of each.
    const first = html.slice(
      html.indexOf("<figure>"),
      html.indexOf("</figure>"),
    );
    assertEquals(first.match(/<rect/g)?.length, 6);
    assertEquals(first.match(/<circle/g)?.length, 9);
    assertStringIncludes(first, "Title of hello");
    assertStringIncludes(first, "ours, native engine");
    assertStringIncludes(html, "A &lt;processor&gt;");
    assertStringIncludes(html, "per second 0.833x of Bun");
    assertStringIncludes(html, "Permission to use, copy, modify");
  },
});

Deno.test({
  name: "the page loads nothing, and what it complains about is seen",
  ignore: chromium === undefined || libraries === undefined,
  async fn() {
    const { complaints } = await openPageOf(
      libraries!,
      `<img src="http://127.0.0.1:9/image.png">`,
    );
    assertEquals(complaints.length, 1);
    assertStringIncludes(complaints[0]!, "Content Security Policy");
  },
});

Deno.test("escapeHtml and scriptData: text stays text", () => {
  assertEquals(
    escapeHtml(`<a title="x">&`),
    "&lt;a title=&quot;x&quot;&gt;&amp;",
  );
  const data = scriptData({ text: "</script><!--" });
  assertEquals(data.includes("<"), false);
  assertEquals(JSON.parse(data), { text: "</script><!--" });
});

Deno.test("scriptText: refuses programs that would end their element", () => {
  assertEquals(scriptText("a < b"), "a < b");
  for (const program of ["'</script>'", "'</SCRIPT '", "'<!--'"]) {
    assertThrows(() => scriptText(program), Error, "script tags");
  }
});
