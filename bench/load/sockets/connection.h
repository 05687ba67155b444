/* Connections to the server under test, and the bytes of WebSocket frames. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stddef.h>
#include <stdint.h>

enum opcode { OPCODE_TEXT = 1, OPCODE_BINARY = 2, OPCODE_PING = 9, OPCODE_PONG = 10 };

/* What a connection does before it is counted as open. */
enum opening { OPENING_TCP, OPENING_HTTP, OPENING_WEBSOCKET };

/* Says why and ends the process. */
_Noreturn void fail(const char *reason);

int64_t monotonic_nanoseconds(void);

/* Connects to 127.0.0.1; the socket does not block once it is open. */
int connect_to(int port, enum opening opening);

/* Sends everything, waiting as long as it takes. */
void send_all(int socket, const unsigned char *bytes, size_t size);

/* Writes a frame of a client (masked) or of a server; returns its size. */
size_t write_client_frame(unsigned char *frame, enum opcode opcode,
                          const unsigned char *payload, size_t size);
size_t write_server_frame(unsigned char *frame, enum opcode opcode,
                          const unsigned char *payload, size_t size);

#endif
