/**
 * The notation in which rules say what a credential looks like: literal text and runs of a class, as in
 * `ghp_{base62:36}` or `SG.{base64url:22}.{base64url:43}`. A run takes all characters of its class that are there; when
 * their number is not one of those allowed, the shape does not fit. It never tries a shorter run, so it cannot backtrack.
 */
import { characters } from './matcher.ts';
import type { CharacterClass, Runs } from './matcher.ts';

/** Name in the notation -> characters. */
export const sets: Readonly<Record<string, CharacterClass>> = {
  digit: characters('0-9'), hex: characters('0-9a-f'), HEX: characters('0-9A-F'), anyhex: characters('0-9a-fA-F'), atoh: characters('0-9a-hA-H'),
  letter: characters('A-Za-z'), lower: characters('a-z'), base32: characters('A-Z2-7'), bech32: characters('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'),
  base36: characters('a-z0-9'), BASE36: characters('A-Z0-9'), base62: characters('A-Za-z0-9'), word: characters('A-Za-z0-9_'),
  base64: characters('A-Za-z0-9+/'), base64url: characters('A-Za-z0-9_-'), pad: characters('='),
  padded: characters('A-Za-z0-9_=-'), dashed: characters('A-Za-z0-9-'), dotted: characters('A-Za-z0-9_=.-'), graph: characters('!#-&(-;=-[]-_a-~'), tilde: characters('A-Za-z0-9_~.-'), path: characters('A-Za-z0-9+/_-'),
  authress: characters('A-Za-z0-9+/_=-'), kraken: characters('A-Za-z0-9/=_+-'), percent: characters('A-Za-z0-9%'), sas: characters('A-Za-z0-9%+/='), uuid36: characters('a-z0-9-'),
};

export interface Run {
  readonly set: CharacterClass;
  readonly least: number;
  readonly most: number;
}

/** Literal text, or a run. */
export type Segment = string | Run;

const uuid = '{anyhex:8}-{anyhex:4}-{anyhex:4}-{anyhex:4}-{anyhex:12}';

/** The segments of a shape. Throws for what is no shape, since shapes are part of the program. */
export function parseShape(shape: string): readonly Segment[] {
  const segments: Segment[] = [];
  const spelled = shape.includes('{uuid}') ? shape.replaceAll('{uuid}', uuid) : shape;
  let at = 0;
  while (at < spelled.length) {
    const open = spelled.indexOf('{', at);
    const literal = open < 0 ? spelled.slice(at) : spelled.slice(at, open);
    if (literal !== '') segments.push(literal);
    if (open < 0) break;
    const close = spelled.indexOf('}', open);
    segments.push(parseRun(spelled.slice(open + 1, close), shape));
    at = close + 1;
  }
  return segments;
}

/** `class:length`, `class:least-most`, `class:least-`. */
function parseRun(written: string, shape: string): Run {
  const colon = written.indexOf(':');
  const dash = written.indexOf('-', colon);
  const set = sets[written.slice(0, colon)];
  const least = Number(dash < 0 ? written.slice(colon + 1) : written.slice(colon + 1, dash));
  const most = dash < 0 ? least : dash === written.length - 1 ? Number.MAX_SAFE_INTEGER : Number(written.slice(dash + 1));
  if (set === undefined || !(least >= 0 && most >= least)) throw new Error(`shape ${shape}: there is no run ${written}`);
  return { set, least, most };
}

/** Where the shape that begins at `from` ends, or -1. What may follow is the caller's to say. */
export function shapeEnd(segments: readonly Segment[], text: string, from: number, runs: Runs): number {
  let at = from;
  for (const [index, segment] of segments.entries()) {
    if (typeof segment === 'string') {
      if (!text.startsWith(segment, at)) return -1;
      at += segment.length;
      continue;
    }
    const available = runs.end(at, segment.set) - at;
    if (available < segment.least) return -1;
    // Between a run of one length and what follows it the length decides, since both may be of the same characters.
    const isCut = segment.least === segment.most && index < segments.length - 1;
    if (!isCut && available > segment.most) return -1;
    at += isCut ? segment.most : available;
  }
  return at;
}
