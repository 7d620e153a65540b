/**
 * The sorts of values that settings take. A text means the same whether it comes from a flag, the environment or a file.
 * Everything is bounded before it is looked at, nothing is guessed, and what cannot be used is refused with the words that
 * say what can.
 */
import { parseAddress } from '../base/addresses.ts';
import { parseDuration } from '../base/duration.ts';
import { isAbsolute } from '../base/paths.ts';
import { quoted, unsafe } from '../base/quoted.ts';
import { Secret } from '../base/secret.ts';
import { didYouMean } from '../base/suggest.ts';
import type { YamlNode } from '../formats/yaml/node.ts';
import type { Kind, Refuse, Tighten } from './setting.ts';

/** Longest text of one value, in UTF-16 code units. */
const longestText = 4096;
/** Most items of a list or entries of a map. */
const mostItems = 1000;

/** Where inside a map a mistake lies: `.name`, or `["odd name"]`. */
function member(named: string): string {
  return /^[\w-]{1,60}$/.test(named) ? `.${named}` : `[${quoted(named)}]`;
}

/** `is "abc"`: a refused text in words. */
export function isQuoted(text: string): string {
  return `is ${quoted(text)}`;
}

/** `is a list`: what stands at a node, in words. */
function describe(node: YamlNode): string {
  if (node.kind === 'map') return node.entries.length === 0 ? 'is an empty map' : 'is a map';
  if (node.kind === 'seq') return node.items.length === 0 ? 'is an empty list' : 'is a list';
  return node.value === null ? 'is empty' : isQuoted(node.text);
}

/** A kind whose values are one text. `read` gives undefined for a text that cannot be used. */
export function scalar<T>(accepts: string, read: (text: string) => T | undefined): Kind<T> {
  const fromText = (text: string): T | undefined => (text.length > longestText ? undefined : read(text.trim()));
  return {
    accepts,
    fromText: (text, refuse) => fromText(text) ?? refuse({ found: isQuoted(text), accepts }),
    fromNode(node, refuse) {
      const value = node.kind === 'scalar' && node.value !== null ? fromText(node.text) : undefined;
      return value ?? refuse({ found: describe(node), accepts, node });
    },
  };
}

const booleanWords: ReadonlyMap<string, boolean> = new Map([
  ['true', true], ['1', true], ['yes', true], ['on', true], ['false', false], ['0', false], ['no', false], ['off', false],
]);

/** The boolean words of contract section 2, in any case. */
export const boolean: Kind<boolean> =
  scalar('true, 1, yes, on or false, 0, no, off', (text) => booleanWords.get(text.toLowerCase()));

/** A whole number in decimal digits. */
export function integer(least: number, most: number): Kind<number> {
  return scalar(`a whole number from ${least} to ${most}`, (text) => {
    if (!/^\d{1,15}$/.test(text)) return undefined;
    const value = Number(text);
    return value >= least && value <= most ? value : undefined;
  });
}

/** A number of zero or more, with or without a fraction. */
export const amount: Kind<number> =
  scalar('a number of zero or more, such as 2.5', (text) => (/^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined));

/** Milliseconds, written as seconds or with a unit. */
export function duration(least: string, most: string): Kind<number> {
  const [from, to] = [parseDuration(least) ?? 0, parseDuration(most) ?? 0];
  return scalar(`seconds, or a duration such as 90s or 2m, from ${least} to ${most}`, (text) => {
    const value = parseDuration(text);
    return value !== undefined && value >= from && value <= to ? value : undefined;
  });
}

/** One of a few words, in any case. */
export function oneOf<W extends string>(...words: readonly W[]): Kind<W> {
  const last = words.length - 1;
  const accepts = words.length === 1 ? `${words[0]}` : `${words.slice(0, last).join(', ')} or ${words[last]}`;
  return scalar(accepts, (text) => words.find((word) => word === text.toLowerCase()));
}

/** A text of one line that matches `pattern` where there is one. */
export function text(accepts: string = 'a text of one line', pattern: RegExp = /^/): Kind<string> {
  return scalar(accepts, (value) => (value !== '' && isOneLine(value) && pattern.test(value) ? value : undefined));
}

/** A command line: kept as it was written. */
export const command: Kind<string> = text('a command of one line');

/** A name of letters, digits, `.`, `_`, `-`. */
export const name: Kind<string> = text('a name of letters, digits, ".", "_" and "-"', /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);

/** An absolute path, or one below the home directory (`~/…`, resolved later). */
export const path: Kind<string> = scalar('an absolute path, or one that begins with ~/', (value) => {
  const forward = /^[A-Za-z]:\\/.test(value) ? value.replaceAll('\\', '/') : value;
  return isOneLine(forward) && (isAbsolute(forward) || forward.startsWith('~/')) ? forward : undefined;
});

const hostPattern = /^(?:\[?[0-9A-Fa-f:]{2,45}(?:%[\w.-]{1,20})?\]?|(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?)$/;

/** A host name or an IP address, without brackets. */
export const host: Kind<string> = scalar('a host name or an IP address', (value) => {
  return value.length <= 253 && hostPattern.test(value) ? value.replace(/^\[(.*)\]$/, '$1') : undefined;
});

/** Host, with a port where wanted, as a Host header carries it. */
export const hostAndPort: Kind<string> = scalar('a host name or an IP address, with or without :port', (value) => {
  const [, named = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(value) ?? [];
  return named !== '' && hostPattern.test(named) && Number(port ?? 1) <= 65_535 ? value.toLowerCase() : undefined;
});

/** A host or a block of addresses that deliveries may reach although it is private. */
export const hostOrBlock: Kind<string> = scalar('a host name, an IP address or a block such as 10.1.0.0/16', (value) => {
  const [, address = '', bits] = /^([^/]{1,253})(?:\/(\d{1,3}))?$/.exec(value) ?? [];
  const most = address.includes(':') ? 128 : 32;
  const isAddress = address.includes(':') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(address);
  if (!hostPattern.test(address) || (bits !== undefined && (!isAddress || Number(bits) > most))) return undefined;
  return value.toLowerCase();
});

/** An address or a block of addresses, never all there are. */
export const addressOrBlock: Kind<string> = scalar('an IP address or a block such as 10.1.0.0/16', (value) => {
  const [, address = '', bits] = /^([0-9A-Fa-f:.]{2,45})(?:\/(\d{1,3}))?$/.exec(value) ?? [];
  const bytes = parseAddress(address);
  if (bytes === undefined || (bits !== undefined && (Number(bits) === 0 || Number(bits) > bytes.length * 8))) return undefined;
  return value.toLowerCase();
});

/** Whether a host is this machine only. */
export function isLoopback(named: string): boolean {
  const bare = named.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return bare === 'localhost' || bare === '::1' || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

/** An address of the web without a password in it; plain http only to this machine unless `plain` allows it. */
export function url(plain: boolean = false): Kind<string> {
  const accepts = plain ? 'an http or https URL without a user name or fragment' : 'an https URL without a user name or fragment';
  return scalar(accepts, (value) => {
    const parsed = isOneLine(value) ? parseUrl(value) : undefined;
    if (parsed === undefined || parsed.username !== '' || parsed.password !== '' || parsed.hash !== '') return undefined;
    if (parsed.protocol === 'https:') return value;
    return parsed.protocol === 'http:' && (plain || isLoopback(parsed.hostname)) ? value : undefined;
  });
}

/** Scheme, host and port of a page, as browsers send it in `Origin`. */
export const origin: Kind<string> = scalar('an origin such as https://loki.example.com', (value) => {
  const parsed = parseUrl(value);
  return parsed !== undefined && /^https?:$/.test(parsed.protocol) && parsed.origin === value.toLowerCase() ? parsed.origin : undefined;
});

/** A secret that `inner` accepts as text. */
export function secret(inner: Kind<string>): Kind<Secret> {
  return mapped(inner, (value) => new Secret(value));
}

/** A secret of one line. */
export const secretText: Kind<Secret> = secret(text('a secret of one line'));

/** A 256-bit key in hex or base64. */
export const key256: Kind<Secret> = scalar('32 bytes in base64 or hex', (value) => {
  const fits = /^[0-9A-Fa-f]{64}$/.test(value) || /^[A-Za-z0-9+/]{43}=$/.test(value) || /^[A-Za-z0-9_-]{43}=?$/.test(value);
  return fits ? new Secret(value) : undefined;
});

/** A list of values, written in a file as a list and in a text with commas between. Doubles are dropped. */
export function listOf<T>(item: Kind<T>, separator: RegExp = /,/): Kind<readonly T[]> {
  const accepts = `a list; each item is ${item.accepts}`;
  const tooMany = `at most ${mostItems} items`;
  return {
    accepts,
    fromText(given, refuse) {
      if (given.length > longestText) return refuse({ found: isQuoted(given), accepts: `at most ${longestText} characters` });
      const parts = given.split(separator);
      return whole(parts.map((part, at) => item.fromText(part, inside(refuse, `[${at}]`))));
    },
    fromNode(node, refuse) {
      if (node.kind !== 'seq') return refuse({ found: describe(node), accepts, node });
      if (node.items.length > mostItems) return refuse({ found: `has ${node.items.length} items`, accepts: tooMany, node });
      return whole(node.items.map((each, at) => item.fromNode(each, inside(refuse, `[${at}]`))));
    },
  };
}

/** A map from names to values, written in a text as `name=value,name=value`; the last `=` of a pair divides. */
export function mapOf<T>(value: Kind<T>, names: Kind<string> = text()): Kind<ReadonlyMap<string, T>> {
  const accepts = `a map; each value is ${value.accepts}`;
  return {
    accepts,
    fromText(given, refuse) {
      if (given.length > longestText) return refuse({ found: isQuoted(given), accepts: `at most ${longestText} characters` });
      const seen = new Set<string>();
      return wholeMap(given.split(',').map((pair, at) => {
        const divide = pair.lastIndexOf('=');
        const here = inside(refuse, `[${at}]`);
        if (divide < 0) return [here({ found: isQuoted(pair), accepts: 'name=value' }), undefined];
        const named = names.fromText(pair.slice(0, divide), here);
        if (named !== undefined && seen.has(named)) return [here({ found: `has ${quoted(named)} twice`, accepts: 'each name once' }), undefined];
        if (named !== undefined) seen.add(named);
        return [named, value.fromText(pair.slice(divide + 1), here)];
      }));
    },
    fromNode(node, refuse) {
      if (node.kind !== 'map') return refuse({ found: describe(node), accepts, node });
      if (node.entries.length > mostItems) return refuse({ found: `has ${node.entries.length} entries`, accepts: `at most ${mostItems} entries`, node });
      return wholeMap(node.entries.map((entry) => {
        return [names.fromNode(entry.key, refuse), value.fromNode(entry.value, inside(refuse, member(entry.key.text)))];
      }));
    },
  };
}

/** A map with fixed names, each with a kind of its own; those in `required` must be there. Only written in files. */
export function record<T extends object>(
  fields: { readonly [F in keyof T]-?: Kind<T[F]> }, required: readonly (keyof T & string)[],
): Kind<T> {
  const kinds: ReadonlyMap<string, Kind<unknown>> = new Map(Object.entries<Kind<unknown>>(fields));
  const accepts = `a map of ${[...kinds.keys()].join(', ')}`;
  return {
    accepts,
    fromText: (given, refuse) => refuse({ found: isQuoted(given), accepts: `${accepts}, in a file` }),
    fromNode(node, refuse) {
      if (node.kind !== 'map') return refuse({ found: describe(node), accepts, node });
      const values = new Map<string, unknown>();
      let good = true;
      for (const { key, value } of node.entries) {
        const kind = kinds.get(key.text);
        if (kind === undefined) refuse({ found: `has the unknown key ${quoted(key.text)}${didYouMean(key.text, kinds.keys())}`, accepts, node: key });
        const read = kind?.fromNode(value, inside(refuse, member(key.text)));
        if (read === undefined) good = false;
        else values.set(key.text, read);
      }
      const written = new Set(node.entries.map((entry) => entry.key.text));
      const missing = required.filter((field) => !written.has(field));
      for (const field of missing) refuse({ found: `has no ${field}`, accepts, node });
      // The loop above has checked every field against its kind, which is what T says of it.
      return good && missing.length === 0 ? (Object.fromEntries(values) as T) : undefined;
    },
  };
}

/** A kind whose values are made of another's. */
export function mapped<A, B>(inner: Kind<A>, make: (value: A) => B): Kind<B> {
  const over = (value: A | undefined): B | undefined => (value === undefined ? undefined : make(value));
  return {
    accepts: inner.accepts,
    fromText: (given, refuse) => over(inner.fromText(given, refuse)),
    fromNode: (node, refuse) => over(inner.fromNode(node, refuse)),
  };
}

/** Notes mistakes as lying further inside. */
export function inside(refuse: Refuse, where: string): Refuse {
  return (mistake) => refuse({ ...mistake, within: where + (mistake.within ?? '') });
}

/** A project may only switch it on. */
export const onlyOn: Tighten<boolean> = { words: 'only switch it on', looser: (asked, given) => given && !asked };
/** A project may only switch it off. */
export const onlyOff: Tighten<boolean> = { words: 'only switch it off', looser: (asked, given) => asked && !given };
/** A project may only raise it. */
export const onlyRaise: Tighten<number> = { words: 'only raise it', looser: (asked, given) => asked < given };
/** A project may only lower it. */
export const onlyLower: Tighten<number> = { words: 'only lower it', looser: (asked, given) => asked > given };
/** A project may only leave things out of the list. */
export const onlyShorten: Tighten<readonly string[]> = {
  words: 'not add to it',
  looser: (asked, given) => asked.some((item) => !given.includes(item)),
};

/** A project may only move towards the first of these words. */
export function onlyTowards<W extends string>(words: readonly W[]): Tighten<W> {
  return { words: `only move it towards "${words[0]}"`, looser: (asked, given) => words.indexOf(asked) > words.indexOf(given) };
}

function isOneLine(value: string): boolean {
  return !unsafe.test(value);
}

function parseUrl(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}

function whole<T>(items: readonly (T | undefined)[]): readonly T[] | undefined {
  const good = items.filter((item) => item !== undefined);
  return good.length === items.length ? [...new Set(good)] : undefined;
}

function wholeMap<T>(pairs: readonly (readonly [string | undefined, T | undefined])[]): ReadonlyMap<string, T> | undefined {
  const map = new Map<string, T>();
  for (const [named, value] of pairs) {
    if (named !== undefined && value !== undefined) map.set(named, value);
  }
  return map.size === pairs.length ? map : undefined;
}
