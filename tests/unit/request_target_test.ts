import { assertEquals } from "@std/assert";
import {
  isValidHost,
  normalizedUrl,
  pathOf,
} from "../../src/runtime/request_target.ts";

const PATHS: [url: string, host: string | undefined, path?: string][] = [
  ["http://a/", "a", "/"],
  ["http://a/b?c/d", "a", "/b"],
  ["http://a?c/d", "a", "/"],
  ["http://a", "a", "/"],
  ["http://a:1//evil.example/x", "a:1", "//evil.example/x"],
  ["http://a/x/../b", "a", "/x/../b"],
  ["https://[::1]:8/b", "[::1]:8", "/b"],
  ["http://0.0.0.0:1/b", undefined, "/b"],
  // The target is in absolute form: its authority counts.
  ["http://other/b", "a", "/b"],
  ["http://ab/c", "a", "/c"],
  // A host that would move the border to the path.
  ["http://a/admin?/public", "a/admin?", undefined],
  ["http://a?/public", "a?", undefined],
  ["http://user@a/b", "user@a", undefined],
  ["http://a b/c", "a b", undefined],
];

Deno.test("pathOf keeps the Host header out of the path", () => {
  for (const [url, host, path] of PATHS) {
    assertEquals(pathOf(url, host ?? null), path, `${url} with Host ${host}`);
  }
});

Deno.test("isValidHost follows RFC 9110", () => {
  const valid = ["", "a", "a.b:80", "127.0.0.1:", "[::1]", "[::1]:80", "a%20b"];
  const invalid = [
    "a/b",
    "a?b",
    "a#b",
    "a@b",
    "a b",
    "a:b",
    "a\\b",
    "[::1",
    "é",
  ];
  for (const host of valid) assertEquals(isValidHost(host), true, host);
  for (const host of invalid) assertEquals(isValidHost(host), false, host);
});

const URLS: [url: string, host: string | undefined, expected: string][] = [
  ["http://a/b?c", "a", "http://a/b?c"],
  ["http://a", "a", "http://a/"],
  ["http://a/x/../b?q", "a", "http://a/b?q"],
  ["http://a/x/%2e%2E/b", "a", "http://a/b"],
  ["http://a/.x/y.z", "a", "http://a/.x/y.z"],
  ["http://a/b\\c", "a", "http://a/b/c"],
  ["http://A:80/b", "A:80", "http://a/b"],
  ["http://a/ü?ü'", "a", "http://a/%C3%BC?%C3%BC%27"],
  ["http://a//b", "a", "http://a//b"],
  ["http://a/admin?/public", "a/admin?", "http://invalid/public"],
  ["http+unix://a/b", "a", "http://a/b"],
  ["http+unix://%2Ftmp%2Fs/b", undefined, "http://localhost/b"],
];

Deno.test("normalizedUrl writes what URL would", () => {
  for (const [url, host, expected] of URLS) {
    assertEquals(normalizedUrl(url, host ?? null), expected, url);
  }
});
