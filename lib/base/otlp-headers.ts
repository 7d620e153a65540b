/**
 * Headers of an OTLP request, as a person writes them: `name=value,name=value` with percent escapes (OpenTelemetry specification,
 * protocol/exporter.md, "Specifying headers via environment variables": W3C Baggage, without metadata). Values are secrets: nothing here repeats one.
 */
import { percentDecoded } from './otlp-endpoint.ts';
import { Secret } from './secret.ts';

/** What is accepted, as a noun phrase. */
export const headersAccept = 'name=value,name=value with percent escapes (a comma is %2C, a semicolon %3B)';

const longestHeaders = 8192;
const mostHeaders = 64;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** What HTTP takes in a value, and is the same in every encoding. */
const value = /^[\x20-\x7e]{0,4096}$/;
/** Set by whoever makes the request; from outside they would break it, or smuggle a second one into it. */
const ours: ReadonlySet<string> = new Set([
  'connection', 'content-encoding', 'content-length', 'content-type', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);

/** Why a header cannot be sent, as a predicate; undefined when it can be. */
export function refusedHeader(name: string, text: string): string | undefined {
  if (!token.test(name)) return 'has a name that no header may have';
  if (ours.has(name.toLowerCase())) return `names ${name.toLowerCase()}, which is set by this program`;
  return value.test(text) ? undefined : 'has a value with a line end, a control character or a letter beyond ASCII';
}

/** The headers, names in lower case; else why not, as a predicate. Empty members are passed over, the last of a name counts. */
export function parseHeaders(text: string): ReadonlyMap<string, Secret> | string {
  if (text.length > longestHeaders) return `has ${text.length} characters, more than ${longestHeaders}`;
  const headers = new Map<string, Secret>();
  for (const [at, member] of text.split(',').entries()) {
    if (member.trim() === '') continue;
    const [, name, raw] = /^\s*([^\s=]{1,100})\s*=\s*([^;]*?)\s*$/.exec(member) ?? [];
    const plain = raw === undefined ? undefined : percentDecoded(raw);
    if (name === undefined || plain === undefined) return `cannot be read at its ${ordinal(at + 1)} header`;
    const refused = refusedHeader(name, plain);
    if (refused !== undefined) return `${refused} (the ${ordinal(at + 1)})`;
    headers.set(name.toLowerCase(), new Secret(plain));
    if (headers.size > mostHeaders) return `has more than ${mostHeaders} headers`;
  }
  return headers;
}

function ordinal(number: number): string {
  const endings: { readonly [last: number]: string } = { 1: 'st', 2: 'nd', 3: 'rd' };
  const isTeen = number % 100 > 10 && number % 100 < 14;
  return `${number}${isTeen ? 'th' : endings[number % 10] ?? 'th'}`;
}
