/*
 * The floor: what a server costs that does nothing but the system calls that
 * it cannot avoid. One thread, one epoll loop. It does not parse: the end of a
 * head is a request. So it is no server to use, only a number to compare with.
 *
 *   floor PROTOCOL PORT [FILE]
 *
 * PROTOCOL is http (answers "Hello", or FILE) or tcp (echoes). PORT 0 lets the
 * system choose. It prints {"port":N} and serves until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVENTS = 256, BUFFER = 256 * 1024, SOCKETS = 65536, PIPELINE = 64 };

static const char hello[] =
    "HTTP/1.1 200 OK\r\n"
    "content-type: text/plain;charset=UTF-8\r\n"
    "content-length: 5\r\n"
    "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "\r\n"
    "Hello";

/* What a connection still has to send. */
struct connection {
  unsigned char *bytes; /* echoed bytes that did not fit */
  size_t size;
  off_t offset; /* in the file */
  off_t left;
};

static struct connection connections[SOCKETS];
static unsigned char buffer[BUFFER];
static bool is_tcp;
static const char *file_path;
static int poller;

static void fail(const char *reason) {
  fprintf(stderr, "Error: %s: %s\n", reason, strerror(errno));
  exit(1);
}

static int listen_on(int port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((uint16_t)port),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) != 0) fail("bind");
  if (listen(listener, 4096) != 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void watch(int operation, int socket, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = socket};
  epoll_ctl(poller, operation, socket, &event);
}

static void hang_up(int socket) {
  free(connections[socket].bytes);
  connections[socket] = (struct connection){0};
  close(socket);
}

static void accept_all(int listener) {
  int socket;
  while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    if (socket >= SOCKETS) {
      close(socket);
      continue;
    }
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(EPOLL_CTL_ADD, socket, EPOLLIN);
  }
}

/* Sends what is left; while that does not fit, nothing is read. */
static void go_on(int socket) {
  struct connection *connection = &connections[socket];
  while (connection->size > 0) {
    ssize_t count =
        send(socket, connection->bytes, connection->size, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) return hang_up(socket);
    connection->size -= (size_t)count;
    memmove(connection->bytes, connection->bytes + count, connection->size);
  }
  while (connection->left > 0) {
    int file = open(file_path, O_RDONLY | O_CLOEXEC);
    ssize_t count = sendfile(socket, file, &connection->offset,
                             (size_t)connection->left);
    int reason = errno;
    close(file);
    if (count < 0 && reason == EAGAIN) return;
    if (count <= 0) return hang_up(socket);
    connection->left -= count;
  }
  watch(EPOLL_CTL_MOD, socket, EPOLLIN);
}

static void wait_to_write(int socket) {
  watch(EPOLL_CTL_MOD, socket, EPOLLOUT);
}

static void echo(int socket, size_t size) {
  ssize_t count = send(socket, buffer, size, MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN) return hang_up(socket);
  size_t sent = count < 0 ? 0 : (size_t)count;
  if (sent == size) return;
  struct connection *connection = &connections[socket];
  connection->size = size - sent;
  connection->bytes = realloc(connection->bytes, BUFFER);
  if (connection->bytes == NULL) fail("realloc");
  memcpy(connection->bytes, buffer + sent, connection->size);
  wait_to_write(socket);
}

static void send_file(int socket) {
  int file = open(file_path, O_RDONLY | O_CLOEXEC);
  struct stat facts;
  if (file < 0 || fstat(file, &facts) != 0) fail(file_path);
  char head[256];
  int size = snprintf(head, sizeof head,
                      "HTTP/1.1 200 OK\r\n"
                      "content-type: application/octet-stream\r\n"
                      "content-length: %lld\r\n"
                      "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n",
                      (long long)facts.st_size);
  struct connection *connection = &connections[socket];
  connection->offset = 0;
  connection->left = facts.st_size;
  ssize_t sent = send(socket, head, (size_t)size, MSG_NOSIGNAL | MSG_MORE);
  if (sent == size) {
    ssize_t count = sendfile(socket, file, &connection->offset,
                             (size_t)connection->left);
    if (count > 0) connection->left -= count;
  }
  close(file);
  if (sent != size) return hang_up(socket);
  if (connection->left > 0) wait_to_write(socket);
}

static void answer(int socket, size_t size) {
  int requests = 0;
  buffer[size] = 0;
  for (const char *at = (const char *)buffer;
       (at = strstr(at, "\r\n\r\n")) != NULL; at += 4) {
    requests++;
  }
  if (file_path != NULL) {
    if (requests > 0) send_file(socket);
    return;
  }
  bool is_last = strcasestr((const char *)buffer, "\nconnection: close") != NULL;
  char answers[sizeof hello * PIPELINE];
  size_t length = 0;
  for (int index = 0; index < requests && index < PIPELINE; index++) {
    memcpy(answers + length, hello, sizeof hello - 1);
    length += sizeof hello - 1;
  }
  ssize_t sent = send(socket, answers, length, MSG_NOSIGNAL);
  if (is_last || sent != (ssize_t)length) hang_up(socket);
}

static void receive(int socket) {
  ssize_t count = recv(socket, buffer, BUFFER - 1, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return hang_up(socket);
  if (is_tcp) {
    echo(socket, (size_t)count);
  } else {
    answer(socket, (size_t)count);
  }
}

int main(int count, char **values) {
  if (count < 3) fail("Expected PROTOCOL PORT [FILE]");
  is_tcp = strcmp(values[1], "tcp") == 0;
  file_path = count > 3 ? values[3] : NULL;
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  signal(SIGPIPE, SIG_IGN);
  poller = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_on(atoi(values[2]));
  watch(EPOLL_CTL_ADD, listener, EPOLLIN);
  while (1) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poller, events, EVENTS, -1);
    for (int index = 0; index < ready; index++) {
      int socket = events[index].data.fd;
      if (socket == listener) {
        accept_all(listener);
      } else if (events[index].events & EPOLLOUT) {
        go_on(socket);
      } else {
        receive(socket);
      }
    }
  }
}
