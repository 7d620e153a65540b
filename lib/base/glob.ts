/**
 * Glob patterns, compiled once and matched in linear time: every star is settled by the leftmost place that fits, which is
 * exact for globs, so nothing is ever tried twice. In a `text` glob `*` and `**` both stand for any characters. In a `path`
 * glob `*` stays within one component and a whole component `**` stands for any number of them, none included.
 */

export type GlobKind = 'text' | 'path';

/** What is wrong with a pattern, and where (UTF-16 code units from its start). */
export interface GlobMistake {
  readonly mistake: string;
  readonly at: number;
}

export type GlobTest = (text: string) => boolean;

const longestPattern = 1024;
const mostAlternatives = 64;

type Unit = string | ((code: number) => boolean);

/** Units in a row between two stars: a plain string where possible, since searching that is fastest. */
type Chunk = string | readonly Unit[];

/** A test for the pattern, or what is wrong with it. `?` one code unit, `[a-z]` `[!a-z]`, `{a,b}`, `\` takes the next literally. */
export function compileGlob(pattern: string, kind: GlobKind): GlobTest | GlobMistake {
  if (pattern === '') return { mistake: 'the pattern is empty', at: 0 };
  if (pattern.length > longestPattern) return { mistake: `the pattern is longer than ${longestPattern} characters`, at: longestPattern };
  return isPlain(pattern) ? whenAsked(pattern, kind) : compile(pattern, kind);
}

/** Nothing is wrong with such a pattern, which can be said without taking it apart: no classes, nothing escaped, no braces in braces. */
function isPlain(pattern: string): boolean {
  if (!beyondStars.test(pattern)) return true;
  if (!plain.test(pattern)) return false;
  const braces = pattern.match(/\{[^}]*\}/g) ?? [];
  return braces.reduce((product, brace) => product * brace.split(',').length, 1) <= mostAlternatives;
}

const beyondStars = /[[\\{}]/;
const plain = /^(?:[^[\\{}]|\{[^[\\{}]*\})*$/;

/** Compiled for the first text that begins as the pattern does: most patterns of a policy never meet one in the life of a hook. */
function whenAsked(pattern: string, kind: GlobKind): GlobTest {
  let head: string | undefined;
  let test: GlobTest | undefined;
  return (text) => text.startsWith(head ??= headOf(pattern, kind)) && (test ??= sure(compile(pattern, kind)))(text);
}

/** What every text that fits begins with. In a path whole components: `a/**` also stands for `a`. */
function headOf(pattern: string, kind: GlobKind): string {
  const special = pattern.search(/[*?{]/);
  const head = special < 0 ? pattern : pattern.slice(0, special);
  return kind === 'text' ? head : head.slice(0, Math.max(0, head.lastIndexOf('/')));
}

/** For what comes of a plain pattern, which has no mistakes. */
function sure<Made extends object>(made: Made | GlobMistake): Made {
  if ('mistake' in made) throw new Error(made.mistake);
  return made;
}

function compile(pattern: string, kind: GlobKind): GlobTest | GlobMistake {
  const alternatives = expandBraces(pattern);
  if (!Array.isArray(alternatives)) return alternatives;
  const [only] = alternatives;
  if (alternatives.length === 1 && only !== undefined) return kind === 'text' ? compileText(only) : compilePath(only);
  const tests: GlobTest[] = [];
  for (const alternative of alternatives) {
    const test = isPlain(alternative) ? whenAsked(alternative, kind) : compile(alternative, kind);
    if (typeof test !== 'function') return test;
    tests.push(test);
  }
  return (text) => tests.some((test) => test(text));
}

/** `a{b,c}d` as `abd` and `acd`; braces inside braces too. */
export function expandBraces(pattern: string): string[] | GlobMistake {
  if (isPlain(pattern)) return expandPlain(pattern);
  let done: string[] = [];
  let pending = [pattern];
  while (pending.length > 0) {
    const next: string[] = [];
    for (const text of pending) {
      const brace = innermostBrace(text);
      if (brace === undefined) done.push(text);
      else if ('mistake' in brace) return brace;
      else for (const part of brace.parts) next.push(text.slice(0, brace.from) + part + text.slice(brace.to));
    }
    if (done.length + next.length > mostAlternatives) {
      return { mistake: `the braces stand for more than ${mostAlternatives} patterns`, at: pattern.indexOf('{') };
    }
    pending = next;
  }
  done = [...new Set(done)];
  return done;
}

/** Of a plain pattern every second piece between braces is a list. */
function expandPlain(pattern: string): string[] {
  let done = [''];
  pattern.split(/[{}]/).forEach((piece, index) => {
    const parts = index % 2 === 0 ? [piece] : piece.split(',');
    done = done.flatMap((before) => parts.map((part) => before + part));
  });
  return [...new Set(done)];
}

interface Brace { readonly from: number; readonly to: number; readonly parts: readonly string[] }

/** The first `{…}` that holds no other. */
function innermostBrace(text: string): Brace | GlobMistake | undefined {
  let open = -1;
  let cuts: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\') at += 1;
    else if (char === '[') at = Math.max(at, classEnd(text, at));
    else if (char === '{') [open, cuts] = [at, []];
    else if (char === ',' && open >= 0) cuts.push(at);
    else if (char === '}' && open < 0) return { mistake: '"}" without "{"', at };
    else if (char === '}') {
      const edges = [open, ...cuts, at];
      return { from: open, to: at + 1, parts: edges.slice(1).map((edge, index) => text.slice((edges[index] ?? 0) + 1, edge)) };
    }
  }
  return open < 0 ? undefined : { mistake: '"{" without "}"', at: open };
}

/** Index of the `]` that closes the class at `from`, or -1. A `]` right after the opening is a member. */
export function classEnd(text: string, from: number): number {
  let at = from + 1;
  if (text.charAt(at) === '!' || text.charAt(at) === '^') at += 1;
  return text.indexOf(']', at + 1);
}

function compileText(pattern: string): GlobTest | GlobMistake {
  const chunks = parseChunks(pattern);
  return Array.isArray(chunks) ? chunkTest(chunks) : chunks;
}

/** The pattern cut at its stars. */
function parseChunks(pattern: string): Chunk[] | GlobMistake {
  if (!/[?[\\]/.test(pattern)) return pattern.split(/\*+/);
  const chunks: Chunk[] = [];
  let units: Unit[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at);
    if (char === '*') {
      chunks.push(packed(units));
      units = [];
      while (pattern.charAt(at + 1) === '*') at += 1;
    } else if (char === '?') units.push(anyUnit);
    else if (char === '[') {
      const end = classEnd(pattern, at);
      if (end < 0) return { mistake: '"[" without "]"', at };
      units.push(classTest(pattern.slice(at + 1, end)));
      at = end;
    } else if (char === '\\') {
      if (at + 1 === pattern.length) return { mistake: 'nothing follows the last "\\"', at };
      at += 1;
      units.push(pattern.charAt(at));
    } else units.push(char);
  }
  chunks.push(packed(units));
  return chunks;
}

function anyUnit(): boolean {
  return true;
}

function packed(units: readonly Unit[]): Chunk {
  return units.every((unit) => typeof unit === 'string') ? units.join('') : units;
}

function classTest(body: string): (code: number) => boolean {
  const negated = body.startsWith('!') || body.startsWith('^');
  const members = negated ? body.slice(1) : body;
  const ranges: [number, number][] = [];
  for (let at = 0; at < members.length; at += 1) {
    const ranged = members.charAt(at + 1) === '-' && at + 2 < members.length;
    ranges.push([members.charCodeAt(at), members.charCodeAt(ranged ? at + 2 : at)]);
    if (ranged) at += 2;
  }
  return (code) => ranges.some(([low, high]) => code >= low && code <= high) !== negated;
}

/** First chunk at the start, last at the end, the others each at the leftmost place left. */
function chunkTest(chunks: readonly Chunk[]): GlobTest {
  const first = chunks[0] ?? '';
  const last = chunks[chunks.length - 1] ?? '';
  if (chunks.length === 1) return (text) => text.length === first.length && fits(first, text, 0);
  const between = chunks.slice(1, -1).filter((chunk) => chunk.length > 0);
  const least = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return (text) => {
    if (text.length < least || !fits(first, text, 0)) return false;
    const tail = text.length - last.length;
    if (!fits(last, text, tail)) return false;
    let from = first.length;
    for (const chunk of between) {
      from = find(chunk, text, from, tail);
      if (from < 0) return false;
      from += chunk.length;
    }
    return from <= tail;
  };
}

function fits(chunk: Chunk, text: string, at: number): boolean {
  if (typeof chunk === 'string') return text.startsWith(chunk, at);
  for (let index = 0; index < chunk.length; index += 1) {
    const unit = chunk[index];
    if (typeof unit === 'function' ? !unit(text.charCodeAt(at + index)) : unit !== text.charAt(at + index)) return false;
  }
  return true;
}

/** Leftmost place at or after `from` where the chunk fits and ends by `end`; -1 when none. */
function find(chunk: Chunk, text: string, from: number, end: number): number {
  if (typeof chunk === 'string') {
    const at = text.indexOf(chunk, from);
    return at >= 0 && at + chunk.length <= end ? at : -1;
  }
  for (let at = from; at + chunk.length <= end; at += 1) if (fits(chunk, text, at)) return at;
  return -1;
}

function compilePath(pattern: string): GlobTest | GlobMistake {
  const literal = longestLiteral(pattern);
  let blocks: GlobTest[][] | undefined;
  if (!isPlain(pattern)) {
    const parsed = parseBlocks(pattern);
    if ('mistake' in parsed) return parsed;
    blocks = parsed;
  }
  return (path) => path.includes(literal) && blocksMatch(blocks ??= sure(parseBlocks(pattern)), partsOf(path));
}

function parseBlocks(pattern: string): GlobTest[][] | GlobMistake {
  const blocks: GlobTest[][] = [[]];
  let at = 0;
  for (const part of pattern.split('/')) {
    const block = blocks[blocks.length - 1];
    if (part === '**') blocks.push([]);
    else {
      const test = compileText(part);
      if (typeof test !== 'function') return { mistake: test.mistake, at: at + test.at };
      block?.push(test);
    }
    at += part.length + 1;
  }
  return blocks;
}

/** The longest stretch of a pattern that stands in every path that fits: a cheap look before the pattern is tried. */
function longestLiteral(pattern: string): string {
  const stretches = pattern.replaceAll('**', '/').split(/[*?\\]|\[[^/]*|\//);
  return stretches.reduce((longest, stretch) => stretch.length > longest.length ? stretch : longest, '');
}

let lastPath = '';
let lastParts: readonly string[] = [''];

/** Many patterns are tried on one path. */
function partsOf(path: string): readonly string[] {
  if (path !== lastPath) [lastPath, lastParts] = [path, path.split('/')];
  return lastParts;
}

/** As for chunks, with components in place of characters and `**` in place of the star. */
function blocksMatch(blocks: readonly (readonly GlobTest[])[], parts: readonly string[]): boolean {
  const first = blocks[0] ?? [];
  const last = blocks[blocks.length - 1] ?? [];
  if (blocks.length === 1) return parts.length === first.length && blockFits(first, parts, 0);
  const tail = parts.length - last.length;
  if (tail < first.length || !blockFits(first, parts, 0) || !blockFits(last, parts, tail)) return false;
  let from = first.length;
  for (const block of blocks.slice(1, -1)) {
    while (from + block.length <= tail && !blockFits(block, parts, from)) from += 1;
    from += block.length;
    if (from > tail) return false;
  }
  return true;
}

function blockFits(block: readonly GlobTest[], parts: readonly string[], at: number): boolean {
  return block.every((test, index) => test(parts[at + index] ?? ''));
}
