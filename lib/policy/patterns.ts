/**
 * Regular expressions that users add to data rules. An expression is refused at load when hostile content could make it
 * slow: no back-references or look-around, no repeated group that itself repeats or branches, and no two open repeats
 * that can trade characters with each other. Content is matched in short windows, so what remains is linear in its length.
 */
import type { UserPattern } from './rules.ts';

const longestPattern = 500;
/** Characters one match can see; windows overlap by half. */
export const patternWindow = 512;
const mostWork = 4 * patternWindow;

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

const atomPattern = /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[A-Za-z]|.)|\[(?:\\.|[^\]\\])*\]|\(\?(?::|<[A-Za-z_$][\w$]*>)|[()|^$]|[^\\[\]()|^$*+?{}]/suy;
const repeatPattern = /[*+?]\??|\{\d+(?:,\d*)?\}\??/y;

/** Why the pattern is refused, or undefined. */
function danger(source: string): string | undefined {
  const atoms: Atom[] = [];
  const groups: { repeats: boolean }[] = [];
  for (let at = 0; at < source.length;) {
    atomPattern.lastIndex = at;
    const atom = atomPattern.exec(source)?.[0];
    if (atom === undefined || (atom === '(' && source.startsWith('(?', at))) return source.startsWith('(?', at) ? 'looks around, which is not supported' : 'uses a form that is not supported';
    at += atom.length;
    repeatPattern.lastIndex = at;
    const repeat = repeatPattern.exec(source)?.[0] ?? '';
    at += repeat.length;
    const [least, most] = bounds(repeat);
    if (/^\\(?:[1-9]|k)/.test(atom)) return 'refers back to a group, which is not supported';
    const outer = groups[groups.length - 1];
    if (atom.startsWith('(')) groups.push({ repeats: false });
    else if (atom === ')') {
      const inner = groups.pop();
      if (most > 1 && inner?.repeats === true) return 'repeats a group that itself repeats or branches, which can take exponential time';
      const parent = groups[groups.length - 1];
      if (parent !== undefined && (inner?.repeats === true || most > 1)) parent.repeats = true;
      if (most > 1) atoms.push({ source: '[^]', least, most });
    } else {
      if (outer !== undefined && (atom === '|' || least !== most)) outer.repeats = true;
      if (atom === '|') atoms.push({ source: '[^]', least: 0, most: 1 });
      else if (!/^(?:\^|\$|\\[bB])$/.test(atom)) atoms.push({ source: atom, least, most });
    }
  }
  return work(atoms) > mostWork ? 'has repeats that can trade characters with each other; bound them, for example {1,20}' : undefined;
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

/** An upper bound on the ways to split one stretch of text between the repeats. */
function work(atoms: readonly Atom[]): number {
  let ways = 1;
  for (const [index, atom] of atoms.entries()) {
    const next = atoms[index + 1];
    if (atom.least === atom.most || next === undefined) continue;
    if (next.least > 0 && disjoint(atom.source, next.source)) continue;
    ways *= atom.most - atom.least + 1;
  }
  return ways;
}

const sample = [...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)), 'é', 'Ж', '中', '😀'];

/** Whether no character fits both; judged on ASCII and a few others, so classes beyond those count as overlapping. */
function disjoint(a: string, b: string): boolean {
  const [one, two] = [new RegExp(`^(?:${a})$`, 'su'), new RegExp(`^(?:${b})$`, 'su')];
  return !sample.some((char) => one.test(char) && two.test(char));
}

/** A stretch of text that a pattern matched. */
export interface PatternMatch { readonly offset: number; readonly length: number }

/** Where the pattern matches, at most `most` places. */
export function matchUserPattern(pattern: UserPattern, text: string, most: number): readonly PatternMatch[] {
  const found: PatternMatch[] = [];
  let last = -1;
  for (let line = 0; line <= text.length && found.length < most;) {
    const newline = text.indexOf('\n', line);
    const end = newline < 0 ? text.length : newline;
    for (let from = line; from < end; from += patternWindow / 2) {
      const window = text.slice(from, Math.min(end, from + patternWindow));
      for (const match of window.matchAll(pattern.expression)) {
        const offset = from + match.index;
        if (offset <= last || found.length >= most) continue;
        last = offset + match[0].length - 1;
        found.push({ offset, length: match[0].length });
      }
      if (from + patternWindow >= end) break;
    }
    line = end + 1;
  }
  return found;
}
