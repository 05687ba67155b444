/**
 * The same servers written by hand for `Deno.upgradeWebSocket`.
 *
 * @module
 */

const [workload = ""] = Deno.args;
const subscribers = new Set<WebSocket>();
Deno.serve(
  {
    hostname: "127.0.0.1",
    port: 0,
    onListen: (address) => console.log(address.port),
  },
  workload === "publish" ? publish : echo,
);

function echo(request: Request): Response {
  // The idle timeout is the one that the others have.
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: 120,
  });
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

function publish(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: 120,
  });
  socket.onopen = () => subscribers.add(socket);
  socket.onclose = () => subscribers.delete(socket);
  socket.onmessage = ({ data }) => {
    for (const subscriber of subscribers) subscriber.send(data);
  };
  return response;
}
