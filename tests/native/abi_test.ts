import { assertEquals } from "@std/assert";
import * as abi from "../../src/engine/native/abi.ts";
import { symbols } from "../../src/engine/native/symbols.ts";

const source = await Deno.readTextFile(
  new URL("../../src/engine/native/helper/src/abi.rs", import.meta.url),
);

/** Value of every constant in the Rust source, by name. */
function rustConstants(text: string): Record<string, number | number[]> {
  const values: Record<string, number | number[]> = {};
  for (
    const [, name, value] of text.matchAll(
      /^pub const (\w+): [^=]+=\s*([^;]+);/gm,
    )
  ) {
    values[name!] = evaluate(value!, values);
  }
  return values;
}

function evaluate(
  text: string,
  known: Record<string, number | number[]>,
): number | number[] {
  if (text.startsWith("[")) {
    return text.slice(1, -1).split(",").map((part) => Number(part));
  }
  // As Rust ranks them: a shift comes after sums, a sum after products.
  const [first, ...shifts] = text.split("<<").map((part) => sum(part, known));
  return shifts.reduce((value, by) => value << by, first!);
}

function sum(text: string, known: Record<string, number | number[]>): number {
  return text.split("+").map((part) =>
    part.split("*").map((factor) => atom(factor.trim(), known))
      .reduce((one, other) => one * other)
  ).reduce((one, other) => one + other);
}

function atom(text: string, known: Record<string, number | number[]>): number {
  const [, list] = /^(\w+)\.len\(\)$/.exec(text) ?? [];
  if (list !== undefined) return (known[list] as number[]).length;
  const value = known[text] ?? Number(text.replaceAll("_", ""));
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError(`Cannot understand ${text}`);
  }
  return value;
}

Deno.test("both sides of the contract have the same constants", () => {
  const constants = rustConstants(source);
  const ours: Record<string, number | readonly number[]> = { ...abi };
  assertEquals(ours, constants);
  // The source was understood at all.
  assertEquals(constants.REGION_BYTES, 4096 + 2 * 2 ** 20 + 3 * 2 ** 20);
});

Deno.test("every function is declared as the contract has it", () => {
  const documented = new Map(Array.from(
    source.matchAll(/^\/\/! (jstime_\w+)\((.*)\) -> (\w+)/gm),
    ([, name, parameters, result]) => [name!, {
      parameters: parameters!.split(", ").filter((text) => text !== "")
        .map((text) => text.split(": ")[1]!),
      result: result!,
    }],
  ));
  for (const [name, symbol] of Object.entries(symbols)) {
    const { parameters, result } = symbol;
    assertEquals(
      { parameters: [...parameters] as string[], result: result as string },
      documented.get("name" in symbol ? symbol.name : name),
      name,
    );
  }
});
