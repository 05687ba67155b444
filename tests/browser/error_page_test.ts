import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { errorPage } from "../../src/http/error_page/error_page.ts";
import { dumpDocument, findChromium } from "./chromium.ts";

const chromium = findChromium();

/** What a browser makes of the page that is sent for `error`. */
async function documentFor(error: unknown, path = "/"): Promise<string> {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) =>
      errorPage(error, {
        method: request.method,
        url: request.url,
        accept: request.headers.get("accept"),
      }),
  );
  return await dumpDocument(
    chromium!,
    `http://127.0.0.1:${server.addr.port}${path}`,
  );
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

Deno.test({
  name: "a browser shows the error, its source and its cause",
  ignore: chromium === undefined,
  async fn() {
    const cause = new Error("The table is missing");
    const html = await documentFor(
      new TypeError("Cannot load the order", { cause }),
      "/orders/7?token=secret",
    );
    assertStringIncludes(html, "<title>TypeError: Cannot load the order");
    assertEquals(count(html, /<h1>TypeError<\/h1>/g), 1);
    assertEquals(count(html, /<section class="cause">/g), 1);
    assertStringIncludes(html, "The table is missing</p>");
    assertStringIncludes(html, `<span class="path">/orders/7</span>`);
    // One excerpt is open per error, and it points into this very file.
    assertEquals(count(html, /<details open="">/g), 2);
    assertStringIncludes(html, "<mark>new Error</mark>");
    assertStringIncludes(html, "<b>error_page_test.ts</b>");
  },
});

Deno.test({
  name: "a browser runs and loads nothing that an error smuggles in",
  ignore: chromium === undefined,
  async fn() {
    const attack =
      `</p></style></title><script>document.title="owned"</script>` +
      `<img src=x onerror="document.title='owned'"><svg onload=alert(1)>`;
    const error = Object.assign(new Error(attack), {
      name: attack,
      code: attack,
      cause: attack,
    });
    const html = await documentFor(error, `/${encodeURIComponent(attack)}`);
    assertEquals(count(html, /<(script|img|svg|iframe)\b/gi), 0);
    assert(!html.includes("<title>owned"));
    // Chromium parsed the whole document: nothing closed an element early.
    assertStringIncludes(html, "</footer>\n</main>");
    assertEquals(count(html, /<style>/g), 1);
  },
});
