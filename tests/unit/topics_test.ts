import { assert, assertEquals } from "@std/assert";
import { Topics } from "../../src/websocket/topics.ts";

Deno.test("Topics knows who is subscribed to what", () => {
  const topics = new Topics<string>();
  topics.subscribe("ada", "tea");
  topics.subscribe("ada", "cake");
  topics.subscribe("ada", "tea");
  topics.subscribe("bob", "tea");
  assertEquals(topics.topicsOf("ada"), ["tea", "cake"]);
  assertEquals(topics.topicsOf("nobody"), []);
  assertEquals([...topics.membersOf("tea") ?? []], ["ada", "bob"]);
  assertEquals(topics.membersOf("milk"), undefined);
  assertEquals(topics.count("tea"), 2);
  assertEquals(topics.count("milk"), 0);
  assert(topics.has("bob", "tea"));
  assert(!topics.has("bob", "cake"));
  assert(!topics.has("nobody", "tea"));
});

Deno.test("Topics keeps nothing after the last subscription", () => {
  const topics = new Topics<string>();
  topics.subscribe("ada", "tea");
  topics.subscribe("bob", "tea");
  assert(topics.unsubscribe("ada", "tea"));
  assert(!topics.unsubscribe("ada", "tea"));
  assert(!topics.unsubscribe("bob", "milk"));
  assertEquals(topics.size, 1);
  assert(topics.unsubscribe("bob", "tea"));
  assertEquals(topics.size, 0);
  assertEquals(topics.membersOf("tea"), undefined);
  assertEquals(topics.topicsOf("ada"), []);
});

Deno.test("Topics.leave ends all subscriptions of one member", () => {
  const topics = new Topics<string>();
  for (let index = 0; index < 1000; index++) {
    topics.subscribe("ada", `topic ${index}`);
    if (index % 2 === 0) topics.subscribe("bob", `topic ${index}`);
  }
  topics.leave("ada");
  topics.leave("nobody");
  assertEquals(topics.size, 500);
  assertEquals(topics.topicsOf("ada"), []);
  topics.leave("bob");
  assertEquals(topics.size, 0);
});

Deno.test("Topics may change while members are visited", () => {
  const topics = new Topics<string>();
  for (const name of ["ada", "bob", "cyd"]) topics.subscribe(name, "tea");
  const visited: string[] = [];
  for (const member of topics.membersOf("tea")!) {
    visited.push(member);
    topics.leave("bob");
    if (member === "ada") topics.leave("ada");
  }
  assertEquals(visited, ["ada", "cyd"]);
});

Deno.test("Topics takes names that objects have", () => {
  const topics = new Topics<string>();
  for (const topic of ["__proto__", "constructor", "toString", ""]) {
    assert(!topics.has("ada", topic));
    assertEquals(topics.count(topic), 0);
    topics.subscribe("ada", topic);
    assertEquals(topics.count(topic), 1);
  }
});
