import { assert, assertEquals, assertThrows } from "@std/assert";
import { webSocketOption } from "../../src/options/websocket_options.ts";

const MEBIBYTE = 1024 * 1024;

Deno.test("webSocketOption has the documented defaults", () => {
  const plan = webSocketOption({});
  assertEquals(plan, {
    handlers: {},
    publishToSelf: false,
    policies: new Map(),
    socket: {
      maxPayloadLength: 16 * MEBIBYTE,
      backpressureLimit: 16 * MEBIBYTE,
      closeOnBackpressureLimit: false,
      idleTimeout: 120,
      sendPings: true,
      deflate: undefined,
    },
  });
  assert(Object.isFrozen(plan));
  assert(Object.isFrozen(plan!.socket));
  assert(Object.isFrozen(plan!.handlers));
});

Deno.test("webSocketOption: null and undefined are absent", () => {
  assertEquals(webSocketOption(undefined), undefined);
  assertEquals(webSocketOption(null), undefined);
  const absent = {
    message: null,
    maxPayloadLength: null,
    idleTimeout: undefined,
    sendPings: null,
    perMessageDeflate: null,
  };
  assertEquals(webSocketOption(absent), webSocketOption({}));
});

Deno.test("webSocketOption keeps handlers as they are now", () => {
  const message = () => {};
  const options = { message, data: {}, unknown: 5 };
  const plan = webSocketOption(options)!;
  options.message = () => {};
  assertEquals(plan.handlers, { message });
});

Deno.test("webSocketOption takes limits", () => {
  const { socket, publishToSelf } = webSocketOption({
    maxPayloadLength: 0,
    backpressureLimit: 2 ** 40,
    closeOnBackpressureLimit: true,
    idleTimeout: 3,
    sendPings: false,
    publishToSelf: true,
  })!;
  assertEquals(socket.maxPayloadLength, 0);
  assertEquals(socket.backpressureLimit, 2 ** 32 - 1);
  assertEquals(socket.closeOnBackpressureLimit, true);
  assertEquals(socket.idleTimeout, 8);
  assertEquals(socket.sendPings, false);
  assertEquals(publishToSelf, true);
  assertEquals(webSocketOption({ idleTimeout: 0 })!.socket.idleTimeout, 0);
  assertEquals(webSocketOption({ idleTimeout: 960 })!.socket.idleTimeout, 960);
});

Deno.test("webSocketOption takes compression apart", () => {
  const deflate = (perMessageDeflate: unknown) =>
    webSocketOption({ perMessageDeflate })!.socket.deflate;
  const shared = { compress: "shared", decompress: "shared" };
  assertEquals<unknown>(deflate(false), undefined);
  assertEquals<unknown>(deflate(true), shared);
  assertEquals<unknown>(deflate({}), undefined);
  assertEquals<unknown>(deflate({ compress: true }), shared);
  assertEquals<unknown>(deflate({ compress: "disable" }), undefined);
  assertEquals<unknown>(
    deflate({ compress: "disable", decompress: false }),
    undefined,
  );
  assertEquals<unknown>(
    deflate({ compress: "dedicated", decompress: "dedicated" }),
    { compress: 256 * 1024, decompress: 32 * 1024 },
  );
  assertEquals<unknown>(
    deflate({ compress: "3KB", decompress: "64KB" }),
    { compress: 3 * 1024, decompress: 32 * 1024 },
  );
  assertEquals<unknown>(
    deflate({ decompress: "4KB", compress: false }),
    { compress: "disable", decompress: 4 * 1024 },
  );
  assertEquals<unknown>(
    deflate({ decompress: "disable", compress: "16KB" }),
    { compress: 16 * 1024, decompress: "shared" },
  );
});

const invalid: [
  options: unknown,
  error: new () => Error,
  message: string,
][] = [
  [true, TypeError, "Cannot use websocket true: expected an object"],
  [
    { message: 5 },
    TypeError,
    "Cannot use websocket.message 5: expected a function",
  ],
  [
    { maxPayloadLength: "5" },
    TypeError,
    'Cannot use websocket.maxPayloadLength "5": expected an integer from 0 to 4294967295',
  ],
  [
    { maxPayloadLength: -1 },
    RangeError,
    "Cannot use websocket.maxPayloadLength -1: expected an integer from 0 to 4294967295 (bytes)",
  ],
  [
    { backpressureLimit: 0.5 },
    RangeError,
    "Cannot use websocket.backpressureLimit 0.5: expected an integer from 0 to 4294967295",
  ],
  [
    { backpressureLimit: Infinity },
    RangeError,
    "Cannot use websocket.backpressureLimit Infinity: expected an integer from 0 to 4294967295",
  ],
  [
    { idleTimeout: 961 },
    RangeError,
    "Cannot use websocket.idleTimeout 961: expected an integer from 0 to 960 (seconds)",
  ],
  [
    { sendPings: 1 },
    TypeError,
    "Cannot use websocket.sendPings 1: expected a boolean",
  ],
  [
    { perMessageDeflate: "yes" },
    TypeError,
    'Cannot use websocket.perMessageDeflate "yes": expected a boolean or an object',
  ],
  [
    { perMessageDeflate: { compress: "__proto__" } },
    TypeError,
    'Cannot use websocket.perMessageDeflate.compress "__proto__": expected',
  ],
];

for (const [options, error, message] of invalid) {
  Deno.test(`webSocketOption refuses ${JSON.stringify(options)}`, () => {
    assertThrows(() => webSocketOption(options), error, message);
  });
}
