/*
 * A client for what no load generator does: WebSocket and TCP echo, fan-out,
 * pings at a fixed rate, and thousands of idle connections. It does as little
 * as it can, so that the server is what is measured, but looks at every byte.
 *
 *   sockets EXCHANGE PROTOCOL PORT CONNECTIONS SIZE COPIES RATE
 *
 * EXCHANGE is echo, publish, ping, receive or idle; PROTOCOL is tcp, http or
 * websocket. It connects, prints "connected", and then, for each line
 * "SECONDS" that it reads, runs and prints one line of JSON. It ends with its
 * input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "connection.h"
#include "exchange.h"

static void allow_many_sockets(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static enum opening opening_of(const char *protocol) {
  if (strcmp(protocol, "http") == 0) return OPENING_HTTP;
  return strcmp(protocol, "tcp") == 0 ? OPENING_TCP : OPENING_WEBSOCKET;
}

static void run(const struct plan *plan, const char *exchange, double seconds) {
  static struct result result;
  memset(&result, 0, sizeof result);
  if (strcmp(exchange, "ping") == 0) {
    run_pings(plan, seconds, &result);
  } else if (strcmp(exchange, "receive") == 0) {
    run_receive(plan, seconds, &result);
  } else {
    run_closed_loop(plan, seconds, &result);
  }
  printf("{\"operations\":%llu,\"seconds\":%.6f,\"p50\":%.6f,\"p99\":%.6f,"
         "\"p999\":%.6f}\n",
         (unsigned long long)result.operations, result.seconds,
         histogram_percentile(&result.latency, 0.5),
         histogram_percentile(&result.latency, 0.99),
         histogram_percentile(&result.latency, 0.999));
  fflush(stdout);
}

int main(int count, char **values) {
  if (count != 8) fail("Expected 7 arguments");
  allow_many_sockets();
  const char *exchange = values[1];
  int port = atoi(values[3]);
  int connections = atoi(values[4]);
  int *sockets = malloc(sizeof *sockets * (size_t)(connections + 1));
  if (sockets == NULL) fail("Out of memory");
  for (int index = 0; index < connections; index++) {
    sockets[index] = connect_to(port, opening_of(values[2]));
  }
  struct plan plan = {
      .is_websocket = strcmp(values[2], "websocket") == 0,
      .is_publish = strcmp(exchange, "publish") == 0,
      .sockets = sockets,
      .connections = connections,
      .size = (size_t)atol(values[5]),
      .copies = atoi(values[6]),
      .rate = atof(values[7]),
  };
  puts("connected");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    run(&plan, exchange, atof(line));
  }
  free(sockets);
  return 0;
}
