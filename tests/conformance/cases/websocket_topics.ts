import { type ConformanceCase, table } from "../case.ts";
import {
  type CaseMessage,
  type CaseSocket,
  connect,
  goodbye,
  serverOf,
  sockets,
  socketsOfServer,
  talk,
  text,
} from "../web_socket.ts";

/** Logs what a call returns, or that it threw. */
function attempt(call: () => unknown): string {
  try {
    return JSON.stringify(call()) ?? "undefined";
  } catch (error) {
    return error instanceof Error ? "Error" : "not an Error";
  }
}

/** A room: "join", "leave", or a message to the others. */
const room = {
  message: (socket: CaseSocket, message: CaseMessage) => {
    if (message === "join") socket.subscribe("room");
    else if (message === "leave") socket.unsubscribe("room");
    else socket.publish("room", message);
    socket.send("done");
  },
};

function say(connection: string, message: string) {
  return [
    { send: text(message), connection },
    { receiveFrame: { opcode: "text" as const, payload: "done" }, connection },
  ];
}

function hears(connection: string, payload: string) {
  return { receiveFrame: { opcode: "text" as const, payload }, connection };
}

export const cases: ConformanceCase[] = [
  {
    name: "publish reaches the other subscribers",
    server: () => sockets(room),
    exchange: [
      connect("a"),
      connect("b"),
      connect("c"),
      say("a", "join"),
      say("b", "join"),
      say("a", "hello"),
      hears("b", "hello"),
      say("c", "from outside"),
      hears("a", "from outside"),
      hears("b", "from outside"),
      say("b", "leave"),
      say("a", "nobody hears"),
      say("b", "nearly nobody"),
      hears("a", "nearly nobody"),
      say("c", "x"),
    ],
  },
  {
    name: "publishToSelf",
    server: () => sockets({ ...room, publishToSelf: true }),
    exchange: [
      connect(),
      say("first", "join"),
      { send: text("me") },
      { receiveFrame: { opcode: "text", payload: "me" } },
      { receiveFrame: { opcode: "text", payload: "done" } },
    ],
  },
  talk(
    "subscriptions of a socket",
    (api) => ({
      open: (socket) => {
        const log = (call: () => unknown) => api.log(attempt(call));
        log(() => socket.subscriptions);
        log(() => socket.subscribe("a"));
        log(() => socket.subscribe("a"));
        log(() => socket.subscribe("é"));
        log(() => socket.subscriptions);
        log(() => socket.isSubscribed("a"));
        log(() => socket.isSubscribed("b"));
        log(() => socket.unsubscribe("a"));
        log(() => socket.unsubscribe("a"));
        log(() => socket.unsubscribe("b"));
        log(() => socket.subscriptions);
      },
    }),
    [goodbye()],
    {
      log: [
        "[]",
        "true",
        "true",
        "true",
        '["a","é"]',
        "true",
        "false",
        "true",
        "false",
        "false",
        '["é"]',
      ],
    },
  ),
  talk(
    "topics are strings that are not empty",
    (api) => ({
      open: (socket) => {
        for (const topic of ["", undefined, null, 5, {}] as string[]) {
          api.log([
            attempt(() => socket.subscribe(topic)),
            attempt(() => socket.unsubscribe(topic)),
            attempt(() => socket.isSubscribed(topic)),
            attempt(() => socket.publish(topic, "x")),
          ].join(" "));
        }
      },
    }),
    [goodbye()],
    { log: Array.from({ length: 5 }, () => "Error Error Error Error") },
  ),
  ...table(["__proto__", "constructor", "a\0b", "💬", "x".repeat(10_000)], (
    topic,
  ) =>
    talk(
      `the topic ${topic.slice(0, 12)} is like any other`,
      (api) => ({
        open: (socket) => {
          api.log(`${socket.isSubscribed(topic)}`);
          socket.subscribe(topic);
          api.log(`${socket.isSubscribed(topic)}`);
        },
        publishToSelf: true,
        message: (socket) => socket.publish(topic, "here"),
      }),
      [
        { send: text("x") },
        { receiveFrame: { opcode: "text", payload: "here" } },
      ],
      { log: ["false", "true"] },
    )),
  {
    name: "what publish returns",
    server: (api) => {
      let first: CaseSocket | undefined;
      return socketsOfServer({
        open: (socket) => {
          socket.subscribe("t");
          if (first === undefined) {
            first = socket;
            return;
          }
          const server = serverOf(socket);
          api.log([
            socket.publish("t", "abc"),
            socket.publish("none", "abc"),
            socket.publish("t", ""),
            socket.publishText("t", "é"),
            socket.publishBinary("t", new Uint8Array(5)),
            socket.publish("t", new Blob(["blob"])),
          ].join(" "));
          api.log([
            server.publish("t", "abcd"),
            server.publish("none", "abcd"),
            server.publish("t", Uint8Array.of(1, 2)),
            server.publish("t", 5),
            server.subscriberCount("t"),
            server.subscriberCount("none"),
          ].join(" "));
        },
      });
    },
    exchange: [connect("a"), connect("b")],
    log: ["3 0 0 2 5 4", "4 0 2 1 2 0"],
  },
  talk(
    "publishText and publishBinary check what they are given",
    (api) => ({
      open: (socket) => {
        const bytes = new Uint8Array(1);
        api.log(attempt(() => socket.publishText("t", bytes)));
        api.log(attempt(() => socket.publishBinary("t", "x")));
        api.log(attempt(() => socket.publish("t", undefined)));
        api.log(attempt(() => socket.publish("t", null)));
      },
    }),
    [goodbye()],
    { log: ["Error", "Error", "Error", "Error"] },
  ),
  {
    name: "server.publish reaches all subscribers, the sender included",
    server: () =>
      socketsOfServer({
        open: (socket) => socket.subscribe("all"),
        message: (socket, message) => serverOf(socket).publish("all", message),
      }),
    exchange: [
      connect("a"),
      connect("b"),
      { send: text("x"), connection: "a" },
      hears("a", "x"),
      hears("b", "x"),
      { send: text("y"), connection: "b" },
      hears("a", "y"),
      hears("b", "y"),
    ],
  },
  {
    name: "publish and send keep their order",
    server: () =>
      sockets({
        publishToSelf: true,
        open: (socket) => {
          socket.subscribe("t");
          socket.send("1");
          socket.publish("t", "2");
          socket.send("3");
          socket.publish("t", new Blob(["4"]));
          socket.send("5");
        },
      }),
    exchange: [
      connect(),
      hears("first", "1"),
      hears("first", "2"),
      hears("first", "3"),
      { receiveFrame: { opcode: "binary", payload: "4" } },
      hears("first", "5"),
    ],
  },
  {
    name: "a socket that is gone has no subscriptions, also in close",
    server: (api) =>
      socketsOfServer({
        open: (socket) => {
          socket.subscribe("t");
          socket.subscribe("u");
        },
        close: (socket) =>
          api.log([
            serverOf(socket).subscriberCount("t"),
            serverOf(socket).subscriberCount("u"),
            socket.isSubscribed("t"),
            socket.subscriptions.length,
            socket.subscribe("t"),
            serverOf(socket).subscriberCount("t"),
          ].join(" ")),
      }),
    exchange: [
      connect("a"),
      connect("b"),
      goodbye("a"),
      { logged: "1 1 false 0 false 1" },
      { close: true, connection: "b" },
      { logged: "0 0 false 0 false 0" },
    ],
    log: ["1 1 false 0 false 1", "0 0 false 0 false 0"],
  },
  {
    name: "a socket can publish while it closes",
    server: () =>
      sockets({
        open: (socket) => socket.subscribe("t"),
        close: (socket) => socket.publish("t", "left"),
      }),
    exchange: [connect("a"), connect("b"), goodbye("a"), hears("b", "left")],
  },
  {
    name: "a thousand topics of one socket",
    server: (api) =>
      socketsOfServer({
        open: (socket) => {
          for (let index = 0; index < 1000; index++) {
            socket.subscribe(`topic ${index}`);
          }
          api.log(`${socket.subscriptions.length}`);
        },
        close: (socket) =>
          api.log(`${serverOf(socket).subscriberCount("topic 7")}`),
      }),
    exchange: [connect(), goodbye()],
    log: ["1000", "0"],
  },
  {
    name: "subscribers may close and leave while they are published to",
    server: (api) => {
      const all: CaseSocket[] = [];
      return sockets({
        open: (socket) => {
          all.push(socket);
          socket.subscribe("t");
        },
        message: () => {
          all[1]!.close(4001);
          all[2]!.unsubscribe("t");
          all[0]!.publish("t", "x");
        },
        close: (_, code) => {
          api.log(`close ${code}`);
          all[3]?.publish("t", "from close");
        },
      });
    },
    exchange: [
      connect("a"),
      connect("b"),
      connect("c"),
      connect("d"),
      { send: text("go"), connection: "a" },
      hears("a", "from close"),
      hears("d", "x"),
      hears("c", "from close"),
    ],
  },
];
