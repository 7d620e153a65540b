/**
 * Regular expressions that users add to data rules. An expression is refused at load when hostile content could make it
 * slow: no back-references or look-around, no repeated group that itself repeats or branches, and no two open repeats
 * that can trade characters with each other. Content is matched in short windows, so what remains is linear in its length.
 */
import type { UserPattern } from './rules.ts';

const longestPattern = 500;
/** Characters one match can see; windows overlap by half. */
export const patternWindow = 512;
/** Steps that one match may take from one place before it fails. */
const mostWork = 5 * patternWindow;

/** The pattern, or what is wrong with it as the rest of a sentence. */
export function compileUserPattern(source: string): UserPattern | string {
  if (source.length > longestPattern) return `is longer than ${longestPattern} characters`;
  let expression: RegExp;
  try {
    expression = new RegExp(source, 'gu');
  } catch (error) {
    return `is not a regular expression: ${error instanceof Error ? error.message.replace(/^.*: /, '') : 'unreadable'}`;
  }
  if (new RegExp(`^(?:${source})$`, 'u').test('')) return 'matches empty text';
  return danger(source) ?? { source, expression };
}

interface Atom {
  readonly source: string;
  readonly least: number;
  readonly most: number;
}

/** An open parenthesis: whether something in it varies, how often it branches, and where the atoms in it begin. */
interface Group {
  varies: boolean;
  branches: number;
  readonly first: number;
}

/** Stands between atoms that are not always neighbours as they are written: what comes before it may have to trade with anything. */
const seam: Atom = { source: '[^]', least: 0, most: 0 };

const atomPattern = /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[A-Za-z]|.)|\[(?:\\.|[^\]\\])*\]|\(\?(?::|<[A-Za-z_$][\w$]*>)|[()|^$]|[^\\[\]()|^$*+?{}]/suy;
const repeatPattern = /[*+?]\??|\{\d+(?:,\d*)?\}\??/y;

/** Why the pattern is refused, or undefined. */
function danger(source: string): string | undefined {
  const atoms: Atom[] = [];
  const groups: Group[] = [];
  for (let at = 0; at < source.length;) {
    atomPattern.lastIndex = at;
    const atom = atomPattern.exec(source)?.[0];
    if (atom === undefined || (atom === '(' && source.startsWith('(?', at))) return source.startsWith('(?', at) ? 'looks around, which is not supported' : 'uses a form that is not supported';
    if (/^\\(?:[1-9]|k)/.test(atom)) return 'refers back to a group, which is not supported';
    at += atom.length;
    repeatPattern.lastIndex = at;
    const repeat = repeatPattern.exec(source)?.[0] ?? '';
    at += repeat.length;
    const [least, most] = bounds(repeat);
    const outer = groups[groups.length - 1];
    if (atom.startsWith('(')) groups.push({ varies: false, branches: 0, first: atoms.push(seam) });
    else if (atom === ')') {
      const inner = groups.pop();
      if (most > 1 && inner?.varies === true) return 'repeats a group that itself repeats or branches, which can take exponential time';
      if (inner !== undefined) closeGroup(atoms, inner, least, most, groups[groups.length - 1]);
    } else if (atom === '|') {
      atoms.push(seam);
      if (outer !== undefined) [outer.varies, outer.branches] = [true, outer.branches + 1];
    } else if (!/^(?:\^|\$|\\[bB])$/.test(atom)) {
      atoms.push({ source: atom, least, most });
      if (outer !== undefined && least !== most) outer.varies = true;
    }
  }
  return work(atoms) > mostWork ? 'has repeats that can trade characters with each other; bound them, for example {1,20}' : undefined;
}

/** A group that is always there once, in one way, is as if its parentheses were not. */
function closeGroup(atoms: Atom[], group: Group, least: number, most: number, outer: Group | undefined): void {
  const isOnce = least === 1 && most === 1;
  if (isOnce && group.branches === 0) atoms.splice(group.first - 1, 1);
  // Another branch may fit where one did: as many ways on as there are branches.
  else if (group.branches > 0) atoms.push({ source: '[^]', least: 0, most: group.branches });
  if (!isOnce) atoms.push({ source: '[^]', least, most });
  if (outer !== undefined && (group.varies || !isOnce)) outer.varies = true;
}

function bounds(repeat: string): [number, number] {
  const counted = /^\{(\d+)(,?)(\d*)\}/.exec(repeat);
  if (counted !== null) {
    const least = Number(counted[1]);
    return [least, counted[2] === '' ? least : counted[3] === '' ? patternWindow : Math.min(patternWindow, Number(counted[3]))];
  }
  if (repeat.startsWith('*')) return [0, patternWindow];
  if (repeat.startsWith('+')) return [1, patternWindow];
  return repeat.startsWith('?') ? [0, 1] : [1, 1];
}

/** An upper bound on the steps of a match that fails: each way to split what came before, times the characters of what comes next. */
function work(atoms: readonly Atom[]): number {
  let [ways, steps] = [1, 0];
  for (const [index, atom] of atoms.entries()) {
    steps += ways * Math.max(1, atom.most);
    if (atom.least !== atom.most && trades(atoms, index)) ways *= atom.most - atom.least + 1;
  }
  return steps;
}

/** Whether a character that the atom could take might be taken by what follows it instead: by the next that must be there, or one before that. */
function trades(atoms: readonly Atom[], index: number): boolean {
  const atom = atoms[index];
  for (const next of atoms.slice(index + 1)) {
    if (atom !== undefined && !disjoint(atom.source, next.source)) return true;
    if (next.least > 0) return false;
  }
  return false;
}

const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
/** What stands for every character beyond ASCII: a class takes in all of them, as `.` does, or is not judged. */
const beyond = ['é', 'Ж', '中', '😀'];

/** Whether no character fits both. Judged on ASCII: what names characters beyond it counts as overlapping. */
function disjoint(a: string, b: string): boolean {
  if (/[^\0-\x7f]|\\[pPuxc]/.test(a + b)) return false;
  const [one, two] = [new RegExp(`^(?:${a})$`, 'su'), new RegExp(`^(?:${b})$`, 'su')];
  return ![...ascii, ...beyond].some((char) => one.test(char) && two.test(char));
}

/** A stretch of text that a pattern matched. */
export interface PatternMatch { readonly offset: number; readonly length: number }

/** Where the pattern matches, at most `most` places. Lines are texts of their own: `^` and `$` stand for their ends. */
export function matchUserPattern(pattern: UserPattern, text: string, most: number): readonly PatternMatch[] {
  const found: PatternMatch[] = [];
  for (let line = 0; line <= text.length && found.length < most;) {
    const newline = text.indexOf('\n', line);
    const end = newline < 0 ? text.length : newline;
    matchLine(pattern, text, line, end, most, found);
    line = end + 1;
  }
  return found;
}

const halfWindow = patternWindow / 2;

/** Window by window, each with the character before it, so that what looks at its neighbour sees the one there is. */
function matchLine(pattern: UserPattern, text: string, line: number, end: number, most: number, found: PatternMatch[]): void {
  let last = -1;
  for (let from = line; from < end; from += halfWindow) {
    const before = from > line ? 1 : 0;
    const stop = Math.min(end, from + patternWindow);
    for (const match of text.slice(from - before, stop).matchAll(pattern.expression)) {
      const offset = from - before + match.index;
      // What begins before the window was seen by the one before; what its edge cuts off is seen whole by the next.
      if (offset < from || offset <= last || match[0] === '' || (stop < end && offset + match[0].length === stop && offset >= from + halfWindow)) continue;
      if (found.length >= most) return;
      last = offset + match[0].length - 1;
      found.push({ offset, length: match[0].length });
    }
    if (stop === end) return;
  }
}
