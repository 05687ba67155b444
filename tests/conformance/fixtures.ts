/**
 * The files that cases serve.
 *
 * @module
 */

import { bigContent } from "./content.ts";

/** When every fixture was last modified, as an HTTP date. */
const MODIFIED = new Date("Wed, 01 Jan 2020 00:00:00 GMT");

const FILES: Record<string, string | Uint8Array<ArrayBuffer>> = {
  "digits.txt": "0123456789",
  "empty.txt": "",
  "page.html": "<!doctype html><p>page</p>",
  "data.json": '{"a":1}',
  "style.css": "p { color: red }",
  "script.js": "export {};",
  "module.mjs": "export {};",
  "image.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
  "image.png": Uint8Array.of(0x89, 0x50, 0x4e, 0x47),
  "code.wasm": Uint8Array.of(0, 0x61, 0x73, 0x6d),
  "noextension": "plain",
  "odd.unknownext": "odd",
  "big.bin": bigContent(),
  "secret.txt": "secret",
  "site/index.html": "<p>home</p>",
  "site/about.html": "<p>about</p>",
  "site/with space.txt": "space",
  "site/ünï.txt": "unicode",
  "site/.hidden": "hidden",
  "site/percent%41.txt": "percent",
  "site/docs/index.html": "<p>docs</p>",
  "site/docs/page.txt": "docs page",
  "site/bare/only.txt": "only",
  "site/evil.com/index.html": "<p>evil</p>",
  "site-secret/file.txt": "sibling secret",
};

/** Creates the fixtures in a new directory and returns its path. */
export async function createFixtures(): Promise<string> {
  const root = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "jstime_conformance_" }),
  );
  for (const directory of ["docs", "bare", "evil.com", "hollow"]) {
    await Deno.mkdir(`${root}/site/${directory}`, { recursive: true });
  }
  await Deno.mkdir(`${root}/site-secret`);
  await Deno.mkdir(`${root}/scratch`);
  for (const [name, content] of Object.entries(FILES)) {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    await Deno.writeFile(`${root}/${name}`, bytes);
    await Deno.utime(`${root}/${name}`, MODIFIED, MODIFIED);
  }
  await Deno.symlink(`${root}/secret.txt`, `${root}/site/outward.txt`);
  await Deno.symlink(`${root}/site-secret`, `${root}/site/outward`);
  await Deno.symlink("about.html", `${root}/site/inward.html`);
  await Deno.symlink("loop.txt", `${root}/site/loop.txt`);
  return root;
}
