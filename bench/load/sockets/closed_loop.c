#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "exchange.h"

enum { EVENTS = 256, BUFFER = 256 * 1024, SILENCE_MILLISECONDS = 20000 };

struct client {
  size_t received; /* of what is expected for the last message sent */
  int64_t sent_at;
};

struct loop {
  const struct plan *plan;
  struct client *clients;
  unsigned char *message; /* as it is sent */
  size_t message_size;
  unsigned char *expected; /* as it must come back, all copies */
  size_t expected_size;
  int waiting;   /* receivers of the message that is published */
  int64_t end;   /* when the last message may be sent */
  int active;    /* clients that wait for something */
};

static void prepare(struct loop *loop, const struct plan *plan) {
  size_t room = plan->size + 16;
  unsigned char *payload = malloc(plan->size);
  loop->plan = plan;
  loop->clients = calloc((size_t)plan->connections, sizeof *loop->clients);
  loop->message = malloc(room);
  loop->expected = malloc(room * (size_t)plan->copies);
  if (!payload || !loop->clients || !loop->message || !loop->expected) {
    fail("Out of memory");
  }
  for (size_t index = 0; index < plan->size; index++) {
    payload[index] = (unsigned char)('a' + index % 26);
  }
  enum opcode opcode = plan->size < 126 ? OPCODE_TEXT : OPCODE_BINARY;
  size_t size = plan->size;
  if (plan->is_websocket) {
    loop->message_size =
        write_client_frame(loop->message, opcode, payload, plan->size);
    size = write_server_frame(loop->expected, opcode, payload, plan->size);
  } else {
    loop->message_size = plan->size;
    memcpy(loop->message, payload, plan->size);
    memcpy(loop->expected, payload, plan->size);
  }
  for (int copy = 1; copy < plan->copies; copy++) {
    memcpy(loop->expected + size * (size_t)copy, loop->expected, size);
  }
  loop->expected_size = size * (size_t)plan->copies;
  free(payload);
}

static void send_message(struct loop *loop, int index, int64_t now) {
  const struct plan *plan = loop->plan;
  if (plan->is_publish) {
    for (int other = 0; other < plan->connections; other++) {
      loop->clients[other].received = 0;
    }
    loop->waiting = plan->connections;
    loop->active = plan->connections;
  } else {
    loop->active++;
  }
  loop->clients[index].received = 0;
  loop->clients[index].sent_at = now;
  send_all(plan->sockets[index], loop->message, loop->message_size);
}

/* Everything that a client was waiting for is here. */
static void complete(struct loop *loop, int index, struct result *result) {
  const struct plan *plan = loop->plan;
  int64_t now = monotonic_nanoseconds();
  int sender = plan->is_publish ? 0 : index;
  loop->active--;
  result->operations += (uint64_t)plan->copies;
  if (plan->is_publish && --loop->waiting > 0) return;
  histogram_add(&result->latency, now - loop->clients[sender].sent_at);
  if (now < loop->end) send_message(loop, sender, now);
}

static void receive(struct loop *loop, int index, unsigned char *buffer,
                    struct result *result) {
  struct client *client = &loop->clients[index];
  ssize_t count = recv(loop->plan->sockets[index], buffer, BUFFER, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) fail("The server hung up");
  errno = 0;
  size_t size = (size_t)count;
  if (client->received + size > loop->expected_size ||
      memcmp(buffer, loop->expected + client->received, size) != 0) {
    fail("Wrong answer");
  }
  client->received += size;
  if (client->received == loop->expected_size) complete(loop, index, result);
}

void run_closed_loop(const struct plan *plan, double seconds,
                     struct result *result) {
  struct loop loop = {0};
  prepare(&loop, plan);
  unsigned char *buffer = malloc(BUFFER);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  if (buffer == NULL || poller < 0) fail("Cannot make a poller");
  for (int index = 0; index < plan->connections; index++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
    epoll_ctl(poller, EPOLL_CTL_ADD, plan->sockets[index], &event);
  }
  int64_t start = monotonic_nanoseconds();
  loop.end = start + (int64_t)(seconds * 1e9);
  int senders = plan->is_publish ? 1 : plan->connections;
  for (int index = 0; index < senders; index++) {
    send_message(&loop, index, monotonic_nanoseconds());
  }
  while (loop.active > 0) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, SILENCE_MILLISECONDS);
    errno = 0;
    if (count == 0) fail("The server does not answer");
    for (int event = 0; event < count; event++) {
      receive(&loop, (int)events[event].data.u32, buffer, result);
    }
  }
  result->seconds = (double)(monotonic_nanoseconds() - start) / 1e9;
  close(poller);
  free(buffer);
  free(loop.clients);
  free(loop.message);
  free(loop.expected);
}
