/**
 * Where telemetry goes, as a person writes it (OpenTelemetry specification, protocol/exporter.md, "Endpoint URLs for OTLP/HTTP"), or
 * `file:///folder`. What is refused is refused in words that repeat neither a query nor a password: both are where tokens stand.
 */
import { isAbsolute, normalize } from './paths.ts';
import { quoted, unsafe } from './quoted.ts';

/** A place that can be used. */
export type Endpoint = HttpEndpoint | FolderEndpoint;

export interface HttpEndpoint {
  readonly kind: 'http';
  /** Whole, with its query. */
  readonly url: string;
  /** Without query: what may be shown. */
  readonly shown: string;
  /** A name, or an address without brackets, in lower case. */
  readonly host: string;
  readonly port: number;
  /** As written, `/` when nothing was. */
  readonly path: string;
}

export interface FolderEndpoint {
  readonly kind: 'file';
  /** Absolute and normal. */
  readonly directory: string;
  readonly shown: string;
}

/** Why a text is no such place, as a predicate: `has no scheme`. */
export interface NoEndpoint {
  readonly kind: 'none';
  readonly found: string;
}

/** What is accepted, as a noun phrase. */
export const endpointAccepts = 'an http or https URL without a user name or fragment, or file:///FOLDER';

const longestEndpoint = 2048;

/** Reads an endpoint. Never throws. */
export function parseEndpoint(given: string): Endpoint | NoEndpoint {
  const text = given.trim();
  if (text.length > longestEndpoint) return none(`has ${text.length} characters`);
  if (unsafe.test(text) || /\s/.test(text)) return none(`is ${shownOf(text)}, with a space or a control character in it`);
  // Both cases spelt out: the engine takes half a millisecond to learn, once, what `i` means, and every hook asks.
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/{1,3}/.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return none(`is ${shownOf(text)}, without http:// or https:// before it`);
  if (scheme === 'file') return folderEndpoint(text);
  if (scheme !== 'http' && scheme !== 'https') return none(`is ${shownOf(text)}, and ${scheme}: is not spoken`);
  return URL.canParse(text) ? httpEndpoint(new URL(text), text) : none(`is ${shownOf(text)}, which is no URL`);
}

function httpEndpoint(url: URL, text: string): HttpEndpoint | NoEndpoint {
  if (url.username !== '' || url.password !== '') return none(`is ${shownOf(text)}, with a user name or password in it, which belong into headers`);
  if (url.hash !== '' || text.includes('#')) return none(`is ${shownOf(text)}, with a fragment behind it`);
  const path = url.pathname;
  return {
    kind: 'http', url: url.href, shown: `${url.origin}${path === '/' ? '' : path}`, path,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, ''), port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
  };
}

function folderEndpoint(text: string): FolderEndpoint | NoEndpoint {
  const path = /^file:\/\/(?:localhost)?(\/[^?#]*)$/i.exec(text)?.[1];
  const decoded = path === undefined ? undefined : percentDecoded(path);
  if (decoded === undefined || unsafe.test(decoded)) return none(`is ${shownOf(text)}, and a folder is written file:///srv/telemetry`);
  const directory = normalize(/^\/[A-Za-z]:\//.test(decoded) ? decoded.slice(1) : decoded).replace(/(?<=.)\/+$/, '');
  if (!isAbsolute(directory) || directory === '/') return none(`is ${shownOf(text)}, which names no folder`);
  return { kind: 'file', directory, shown: `file://${directory.startsWith('/') ? '' : '/'}${directory}` };
}

/** Where a signal goes below a base endpoint: one slash, then `v1/traces`; a path before it and a query are kept. */
export function signalUrl(base: string, signal: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return url.href;
}

/** The text with percent escapes replaced; undefined where one of them is none, or does not make UTF-8. */
export function percentDecoded(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function none(found: string): NoEndpoint {
  return { kind: 'none', found };
}

/** Quoted, up to the query, and without whatever stands before an `@`. */
function shownOf(text: string): string {
  const [before = ''] = text.split(/[?#]/, 1);
  const at = before.lastIndexOf('@');
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(before)?.[0] ?? '';
  return quoted(at < 0 ? before : `${scheme}***@${before.slice(at + 1)}`);
}
