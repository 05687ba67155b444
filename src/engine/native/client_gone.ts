/** Why a stream is cancelled whose client has left. */
export class ClientGoneError extends Error {
  override name = "ClientGoneError";

  constructor() {
    super("Cannot go on with the response: the client has left");
  }
}
