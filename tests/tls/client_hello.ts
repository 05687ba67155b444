/** Client hellos of TLS, made by hand (RFC 8446 section 4.1.2). */

/** What is in a hello that tests change. */
export interface HelloParts {
  /** Contents of the extensions by type, in order. */
  readonly extensions?: readonly (readonly [number, readonly number[]])[];
}

/** A number as so many bytes. */
export function number(value: number, size: number): number[] {
  return Array.from(
    { length: size },
    (_, index) => Math.floor(value / 256 ** (size - 1 - index)) % 256,
  );
}

/** Bytes after their length. */
export function vector(bytes: readonly number[], size: number): number[] {
  return [...number(bytes.length, size), ...bytes];
}

/** The extension that asks for a host name (RFC 6066 section 3). */
export function serverNameExtension(name: string): readonly [number, number[]] {
  const bytes = Array.from(new TextEncoder().encode(name));
  return [0, vector([0, ...vector(bytes, 2)], 2)];
}

/** A hello message without records around it. */
export function helloMessage({ extensions = [] }: HelloParts): number[] {
  const body = [
    3,
    3,
    ...Array.from({ length: 32 }, (_, index) => index),
    ...vector(Array.from({ length: 32 }, () => 7), 1),
    ...vector([0x13, 0x01, 0xc0, 0x2b], 2),
    ...vector([0], 1),
    ...vector(
      extensions.flatMap(([type, content]) => [
        ...number(type, 2),
        ...vector(content, 2),
      ]),
      2,
    ),
  ];
  return [1, ...vector(body, 3)];
}

/** Records that hold a message, with so many bytes of it in each. */
export function records(message: readonly number[], size = 16384): Uint8Array {
  const bytes: number[] = [];
  for (let start = 0; start < message.length; start += size) {
    bytes.push(22, 3, 1, ...vector(message.slice(start, start + size), 2));
  }
  return Uint8Array.from(bytes);
}

/** A hello that asks for a name. */
export function hello(serverName: string): Uint8Array {
  const extensions = [serverNameExtension(serverName)];
  return records(helloMessage({ extensions }));
}
