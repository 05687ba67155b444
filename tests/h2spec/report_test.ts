import { assertEquals } from "@std/assert";
import { reasonFor } from "./expected_failures.ts";
import { groupOf, hasPassed, readReport } from "./report.ts";

const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="8.1. Exchange" package="http2/8.1" id="8.1" tests="2" errors="1">
    <testcase package="http2/8.1" classname="Sends &#34;a&#34; &amp; b" time="0.1"></testcase>
    <testcase package="http2/8.1" classname="Sends c" time="2.0000">
      <error>Connection closed
DATA Frame (length:30, flags:0x01) <not escaped></error>
    </testcase>
  </testsuite>
  <testsuite name="2.3.3. Index Address Space" package="hpack/2.3.3" id="2.3.3" tests="1">
    <testcase package="hpack/2.3.3" classname="Sends d" time="0.0000">
      <skipped></skipped>
    </testcase>
  </testsuite>
</testsuites>`;

Deno.test("cases are numbered within their section", () => {
  const cases = readReport(report);
  assertEquals(cases.map(({ name }) => name), [
    "http2/8.1/1",
    "http2/8.1/2",
    "hpack/2.3.3/1",
  ]);
  assertEquals(cases[0]!.title, 'Sends "a" & b');
});

Deno.test("a case passes if it was run and nothing went wrong", () => {
  const cases = readReport(report);
  assertEquals(cases.map(hasPassed), [true, false, false]);
  assertEquals(
    cases[1]!.failure,
    "Connection closed\nDATA Frame (length:30, flags:0x01) <not escaped>",
  );
});

Deno.test("cases belong to their suite, or to its chapter", () => {
  assertEquals(groupOf("generic/3.10/2"), "generic");
  assertEquals(groupOf("http2/6.9.1/2"), "http2/6");
});

Deno.test("a reason is for the targets that it names", () => {
  assertEquals(typeof reasonFor("native", "http2/3.5/2"), "string");
  assertEquals(reasonFor("native, TLS", "http2/3.5/2"), undefined);
  assertEquals(reasonFor("native", "http2/3.5/1"), undefined);
});
