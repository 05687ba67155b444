/** What a request has that handlers use most. */
export type RequestMembers = Pick<
  Request,
  | "arrayBuffer"
  | "blob"
  | "body"
  | "bodyUsed"
  | "bytes"
  | "clone"
  | "formData"
  | "headers"
  | "json"
  | "method"
  | "text"
  | "url"
>;

const platform = Request.prototype;

function getter<Name extends keyof Request>(
  name: Name,
): (this: Request) => Request[Name] {
  return Object.getOwnPropertyDescriptor(platform, name)!.get!;
}

const bodyOf = getter("body");
const bodyUsedOf = getter("bodyUsed");
const headersOf = getter("headers");
const methodOf = getter("method");
const urlOf = getter("url");

/**
 * The members of a request as the platform has them, whatever prototype the
 * request has got since.
 */
export class PlatformMembers implements RequestMembers {
  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return bodyOf.call(this.#request);
  }

  get bodyUsed(): boolean {
    return bodyUsedOf.call(this.#request);
  }

  get headers(): Headers {
    return headersOf.call(this.#request);
  }

  get method(): string {
    return methodOf.call(this.#request);
  }

  get url(): string {
    return urlOf.call(this.#request);
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return platform.arrayBuffer.call(this.#request);
  }

  blob(): Promise<Blob> {
    return platform.blob.call(this.#request);
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return platform.bytes.call(this.#request);
  }

  clone(): Request {
    return platform.clone.call(this.#request);
  }

  formData(): Promise<FormData> {
    return platform.formData.call(this.#request);
  }

  // deno-lint-ignore no-explicit-any -- as the platform types it
  json(): Promise<any> {
    return platform.json.call(this.#request);
  }

  text(): Promise<string> {
    return platform.text.call(this.#request);
  }
}
