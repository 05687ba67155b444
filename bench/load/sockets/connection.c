#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 20 };

static const char websocket_request[] =
    "GET /ws HTTP/1.1\r\n"
    "Host: localhost\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "\r\n";
static const char http_request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

void fail(const char *reason) {
  fprintf(stderr, "Error: %s%s%s\n", reason, errno ? ": " : "",
          errno ? strerror(errno) : "");
  exit(1);
}

int64_t monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Byte by byte, so that nothing behind the answer is taken. */
static void expect_answer(int socket, const char *status, const char *end) {
  char answer[4096];
  size_t size = 0;
  while (size < sizeof answer - 1) {
    ssize_t count = recv(socket, answer + size, 1, 0);
    if (count <= 0) fail("The server does not answer");
    answer[++size] = 0;
    size_t tail = strlen(end);
    if (size >= tail && memcmp(answer + size - tail, end, tail) == 0) break;
  }
  errno = 0;
  if (strncmp(answer, status, strlen(status)) != 0) fail("Wrong answer");
}

int connect_to(int port, enum opening opening) {
  int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) fail("Cannot make a socket");
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((uint16_t)port),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  struct timeval limit = {.tv_sec = ANSWER_SECONDS};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
    fail("Cannot connect");
  }
  if (opening == OPENING_HTTP) {
    send_all(connection, (const unsigned char *)http_request,
             sizeof http_request - 1);
    expect_answer(connection, "HTTP/1.1 200 ", "Hello");
  }
  if (opening == OPENING_WEBSOCKET) {
    send_all(connection, (const unsigned char *)websocket_request,
             sizeof websocket_request - 1);
    expect_answer(connection, "HTTP/1.1 101 ", "\r\n\r\n");
  }
  fcntl(connection, F_SETFL, O_NONBLOCK);
  return connection;
}

void send_all(int socket, const unsigned char *bytes, size_t size) {
  while (size > 0) {
    ssize_t count = send(socket, bytes, size, MSG_NOSIGNAL);
    if (count > 0) {
      bytes += count;
      size -= (size_t)count;
    } else if (errno == EAGAIN) {
      struct pollfd wanted = {.fd = socket, .events = POLLOUT};
      if (poll(&wanted, 1, ANSWER_SECONDS * 1000) <= 0) {
        fail("The server does not read");
      }
    } else if (errno != EINTR) {
      fail("Cannot send");
    }
  }
}

static size_t write_frame(unsigned char *frame, enum opcode opcode,
                          const unsigned char *payload, size_t size,
                          const unsigned char *mask) {
  size_t head = 2;
  frame[0] = (unsigned char)(0x80 | opcode);
  if (size < 126) {
    frame[1] = (unsigned char)size;
  } else if (size < 65536) {
    frame[1] = 126;
    frame[2] = (unsigned char)(size >> 8);
    frame[3] = (unsigned char)size;
    head = 4;
  } else {
    frame[1] = 127;
    for (int index = 0; index < 8; index++) {
      frame[2 + index] = (unsigned char)((uint64_t)size >> (56 - 8 * index));
    }
    head = 10;
  }
  if (mask != NULL) {
    frame[1] |= 0x80;
    memcpy(frame + head, mask, 4);
    head += 4;
  }
  for (size_t index = 0; index < size; index++) {
    frame[head + index] = payload[index] ^ (mask ? mask[index & 3] : 0);
  }
  return head + size;
}

size_t write_client_frame(unsigned char *frame, enum opcode opcode,
                          const unsigned char *payload, size_t size) {
  static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  return write_frame(frame, opcode, payload, size, mask);
}

size_t write_server_frame(unsigned char *frame, enum opcode opcode,
                          const unsigned char *payload, size_t size) {
  return write_frame(frame, opcode, payload, size, NULL);
}
