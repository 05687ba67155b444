/**
 * The functions that the helper exports; `helper/src/abi.rs` says what they do.
 * Only numbers and buffers cross, and only synchronous calls are made while a
 * request is handled: they cost a few nanoseconds.
 *
 * @module
 */

/** Every function, as `Deno.dlopen` takes them. */
export const symbols = {
  jstime_abi: { parameters: [], result: "u32" },
  jstime_open: { parameters: ["u32"], result: "i32" },
  jstime_memory: { parameters: ["u32", "u32"], result: "pointer" },
  jstime_doorbell: {
    parameters: ["u32", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_wake: { parameters: ["u32", "u32"], result: "void" },
  jstime_help: { parameters: ["u32", "u32"], result: "void" },
  jstime_present: {
    parameters: ["u32", "u32", "u32", "u32", "buffer", "u32"],
    result: "u32",
  },
  jstime_close: { parameters: ["u32"], result: "i32" },
  jstime_listen: {
    parameters: ["u32", "buffer", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_stop: { parameters: ["u32", "u32", "u32"], result: "i32" },
  jstime_close_idle: { parameters: ["u32", "u32"], result: "i32" },
  jstime_static: {
    parameters: ["u32", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_tls: {
    parameters: ["u32", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_tcp_listen: {
    parameters: ["u32", "buffer", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_tcp_tls: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_tcp_client: {
    parameters: ["u32", "buffer", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_tcp_connect: {
    parameters: ["u32", "u32", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_peer_certificate: {
    parameters: ["u32", "u32", "u32", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_metrics: {
    parameters: ["u32", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_tcp_read: {
    parameters: ["u32", "u32", "u32", "u32", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_lend: { parameters: ["u32", "buffer", "u32"], result: "u32" },
  jstime_take: {
    parameters: ["u32", "u32", "u32", "u32", "buffer", "u32"],
    result: "i32",
  },
  jstime_bus_join: { parameters: ["u32", "buffer", "u32"], result: "i32" },
  jstime_bus_leave: { parameters: ["u32"], result: "i32" },
  jstime_bus_publish: {
    parameters: ["u32", "buffer", "u32", "buffer", "u32", "u32"],
    result: "i32",
  },
  jstime_bus_count: { parameters: ["u32", "buffer", "u32"], result: "i32" },
  jstime_file_open: { parameters: ["buffer", "u32", "buffer"], result: "i32" },
  jstime_file_stat: { parameters: ["u32", "buffer"], result: "i32" },
  jstime_file_read: {
    parameters: ["u32", "buffer", "u32", "f64"],
    result: "i32",
  },
  jstime_file_close: { parameters: ["u32"], result: "i32" },
  // The same on a thread of its own, for disks that let others wait.
  file_read_async: {
    name: "jstime_file_read",
    parameters: ["u32", "buffer", "u32", "f64"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The helper, loaded. */
export type HelperLibrary = Deno.DynamicLibrary<typeof symbols>;

/** Its functions. */
export type Helper = HelperLibrary["symbols"];
