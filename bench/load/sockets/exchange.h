/* What clients do for some seconds. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "histogram.h"

struct plan {
  bool is_websocket;
  bool is_publish; /* one client sends, all receive */
  const int *sockets;
  int connections;
  size_t size; /* bytes of a message */
  int copies;  /* what is received for one that is sent */
  double rate; /* pings per second over all connections */
};

struct result {
  uint64_t operations;
  double seconds;
  struct histogram latency;
};

/* Send, wait for everything that is due, send again. */
void run_closed_loop(const struct plan *plan, double seconds,
                     struct result *result);

/* Ping at a fixed rate; latency counts from when a ping was due. */
void run_pings(const struct plan *plan, double seconds, struct result *result);

/* Receive texts that say when they were made, microseconds since 1970. */
void run_receive(const struct plan *plan, double seconds,
                 struct result *result);

#endif
