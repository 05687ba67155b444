#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "exchange.h"

enum { EVENTS = 256, BUFFER = 4096, TIMER = -1, LATE_NANOSECONDS = 1000000000 };

/* What has arrived of a frame whose end is not there yet. */
struct inbox {
  unsigned char bytes[BUFFER];
  size_t size;
};

struct receiver {
  struct inbox *inboxes;
  struct result *result;
  uint64_t answered;
};

static int64_t realtime_microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void take_frame(struct receiver *receiver, int opcode,
                       const unsigned char *payload, size_t size) {
  int64_t latency;
  if (opcode == OPCODE_PONG && size == sizeof latency) {
    int64_t due;
    memcpy(&due, payload, sizeof due);
    latency = monotonic_nanoseconds() - due;
  } else if (opcode == OPCODE_TEXT) {
    char digits[32] = {0};
    memcpy(digits, payload, size < 31 ? size : 31);
    latency = (realtime_microseconds() - atoll(digits)) * 1000;
  } else {
    return; /* A ping of the server, for example. */
  }
  receiver->answered++;
  histogram_add(&receiver->result->latency, latency);
}

/* Only short frames are expected: one byte of length. */
static void take_frames(struct receiver *receiver, struct inbox *inbox) {
  size_t start = 0;
  while (inbox->size - start >= 2) {
    const unsigned char *frame = inbox->bytes + start;
    size_t size = frame[1];
    if (size > 125) fail("The server sent a long frame");
    if (inbox->size - start < 2 + size) break;
    take_frame(receiver, frame[0] & 15, frame + 2, size);
    start += 2 + size;
  }
  inbox->size -= start;
  memmove(inbox->bytes, inbox->bytes + start, inbox->size);
}

static void receive(struct receiver *receiver, int socket, int index) {
  struct inbox *inbox = &receiver->inboxes[index];
  ssize_t count = recv(socket, inbox->bytes + inbox->size,
                       BUFFER - inbox->size, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) fail("The server hung up");
  errno = 0;
  inbox->size += (size_t)count;
  take_frames(receiver, inbox);
}

static void send_ping(int socket, int64_t due) {
  unsigned char frame[32];
  size_t size = write_client_frame(frame, OPCODE_PING,
                                   (const unsigned char *)&due, sizeof due);
  send_all(socket, frame, size);
}

static int make_timer(double rate) {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer < 0) fail("Cannot make a timer");
  long period = (long)(1e9 / rate);
  struct timespec time = {.tv_sec = period / 1000000000,
                          .tv_nsec = period % 1000000000};
  struct itimerspec both = {.it_interval = time, .it_value = time};
  timerfd_settime(timer, 0, &both, NULL);
  return timer;
}

/* Sends what is due at `rate` (0: nothing), receives all that comes. */
static void run(const struct plan *plan, double rate, double seconds,
                struct result *result) {
  struct receiver receiver = {
      .inboxes = calloc((size_t)plan->connections, sizeof(struct inbox)),
      .result = result,
  };
  int poller = epoll_create1(EPOLL_CLOEXEC);
  if (receiver.inboxes == NULL || poller < 0) fail("Cannot make a poller");
  for (int index = 0; index < plan->connections; index++) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = index};
    epoll_ctl(poller, EPOLL_CTL_ADD, plan->sockets[index], &event);
  }
  int timer = make_timer(rate > 0 ? rate : 100);
  struct epoll_event ticks = {.events = EPOLLIN, .data.fd = TIMER};
  epoll_ctl(poller, EPOLL_CTL_ADD, timer, &ticks);
  int64_t start = monotonic_nanoseconds();
  int64_t end = start + (int64_t)(seconds * 1e9);
  uint64_t asked = 0;
  while (1) {
    int64_t now = monotonic_nanoseconds();
    if (now >= end + LATE_NANOSECONDS) break;
    if (now >= end && receiver.answered >= asked) break;
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, 100);
    for (int event = 0; event < count; event++) {
      int index = events[event].data.fd;
      if (index != TIMER) {
        receive(&receiver, plan->sockets[index], index);
        continue;
      }
      uint64_t expirations;
      if (read(timer, &expirations, sizeof expirations) < 0) continue;
      while (rate > 0) {
        int64_t due = start + (int64_t)((double)(asked + 1) * 1e9 / rate);
        if (due > monotonic_nanoseconds() || due >= end) break;
        send_ping(plan->sockets[asked % (uint64_t)plan->connections], due);
        asked++;
      }
    }
  }
  errno = 0;
  if (receiver.answered < asked) fail("Pings were not answered");
  result->operations = receiver.answered;
  result->seconds = (double)(monotonic_nanoseconds() - start) / 1e9;
  close(timer);
  close(poller);
  free(receiver.inboxes);
}

void run_pings(const struct plan *plan, double seconds, struct result *result) {
  run(plan, plan->rate, seconds, result);
}

void run_receive(const struct plan *plan, double seconds,
                 struct result *result) {
  run(plan, 0, seconds, result);
}
