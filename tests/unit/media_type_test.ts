import { assertEquals } from "@std/assert";
import { mediaTypeOf } from "../../src/file/media_type.ts";

const UNKNOWN = "application/octet-stream";

const CASES: [path: string, type: string][] = [
  ["index.html", "text/html;charset=utf-8"],
  ["a/b/INDEX.HTML", "text/html;charset=utf-8"],
  ["style.css", "text/css;charset=utf-8"],
  ["app.js", "text/javascript;charset=utf-8"],
  ["app.mjs", "text/javascript;charset=utf-8"],
  ["data.json", "application/json;charset=utf-8"],
  ["app.js.map", "application/json;charset=utf-8"],
  ["notes.txt", "text/plain;charset=utf-8"],
  ["README.md", "text/markdown;charset=utf-8"],
  ["table.csv", "text/csv;charset=utf-8"],
  ["logo.svg", "image/svg+xml"],
  ["photo.JPEG", "image/jpeg"],
  ["icon.ico", "image/x-icon"],
  ["font.woff2", "font/woff2"],
  ["film.mp4", "video/mp4"],
  ["song.mp3", "audio/mpeg"],
  ["module.wasm", "application/wasm"],
  ["archive.tar.gz", "application/gzip"],
  ["app.webmanifest", "application/manifest+json"],
  ["paper.pdf", "application/pdf"],

  ["", UNKNOWN],
  ["name", UNKNOWN],
  ["name.", UNKNOWN],
  [".html", UNKNOWN],
  ["dir/.html", UNKNOWN],
  ["dir.html/name", UNKNOWN],
  ["dir\\.html", UNKNOWN],
  ["name.unheard-of", UNKNOWN],
  // Names that every object has must not be found in the table.
  ["name.constructor", UNKNOWN],
  ["name.__proto__", UNKNOWN],
];

for (const [path, type] of CASES) {
  Deno.test(`mediaTypeOf(${JSON.stringify(path)})`, () => {
    assertEquals(mediaTypeOf(path), type);
  });
}
