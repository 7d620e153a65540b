/**
 * W3C Trace Context, the header `traceparent` (https://www.w3.org/TR/trace-context/, section 3.2), as an environment variable hands it to
 * child processes: everything that one of them is asked belongs to one trace.
 */

/** Version 00: trace id, parent id, flags, in lower-case hexadecimal. */
const form = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/** The context for a child: within the given trace when that can be read, else in a new, sampled one. `random` is at least 24 bytes. */
export function childTraceparent(given: string | undefined, random: Uint8Array): string {
  const hex = Buffer.from(random.subarray(0, 24)).toString('hex');
  const [, traceId = hex.slice(0, 32), flags = '01'] = form.exec(given ?? '') ?? [];
  return `00-${traceId}-${hex.slice(32)}-${flags}`;
}
