/** Bytes of a file as text. What holds a NUL near its beginning is binary, as git sees it, unless it says that it is UTF-16. */

const inspected = 8000;

/** Undefined for a binary file. Bytes that are no UTF-8 become replacement characters. */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return bytes.subarray(0, inspected).includes(0) ? undefined : new TextDecoder().decode(bytes);
}
