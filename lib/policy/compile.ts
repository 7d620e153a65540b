/**
 * Condition trees to closures. A closure is told at compile time which reading is the stricter one where a value can be
 * read in several ways (a path and where it really points; a command line and the commands in it): `all` readings must
 * satisfy a condition that permits, `any` reading satisfies one that forbids. Below a `not` the two change places.
 */
import { compileGlob } from '../base/glob.ts';
import type { GlobKind, GlobTest } from '../base/glob.ts';
import { isInside, resolveFrom } from '../base/paths.ts';
import { CannotEvaluate, absolutePath, isReallyInside, pathMistake, realPath, realPlaces } from './boundary.ts';
import { each, spelled } from './expression.ts';
import type { Comparison, Condition, Operand } from './expression.ts';
import type { Context, Field } from './fields.ts';
import { commandReadings, pathReadings, startOf, urlReadings } from './readings.ts';
import type { Reading, Scope } from './readings.ts';

/**
 * A condition ready to be asked. `test` throws `CannotEvaluate` when a field that it comes to read is missing; where it may
 * stop before it has read all, `first` holds those that must be there all the same, to be checked with `lacking`.
 */
export interface Compiled {
  readonly text: string;
  readonly first: readonly Field[];
  readonly needs: readonly Field[];
  readonly fields: readonly Field[];
  readonly test: (scope: Scope) => boolean;
}

/** The closure of a condition in its stricter reading. */
export function compileCondition(tree: Condition, text: string, reading: Reading): Compiled {
  const needs = neededFields(tree);
  const readsAll = tree.is !== 'and' && tree.is !== 'or' && tree.is !== 'not';
  return { text, needs, first: readsAll ? [] : needs, fields: [...new Set([...fieldsIn(tree), ...guardsIn(tree)])], test: compile(tree, reading) };
}

/** The fields a condition cannot do without: those it names and does not ask `exists` about. */
export function neededFields(tree: Condition): readonly Field[] {
  const guarded = guardsIn(tree);
  const named = fieldsIn(tree);
  return guarded.length === 0 ? named : named.filter((field) => !guarded.includes(field));
}

/** Which field of `needs` the context lacks, in words; undefined when none. */
export function lacking(needs: readonly Field[], context: Context): string | undefined {
  for (const field of needs) {
    const value = field.read(context);
    if (unfit(field, value)) return fault(field, value);
  }
  return undefined;
}

function unfit(field: Field, value: unknown): boolean {
  switch (field.type) {
    case 'string': return typeof value !== 'string';
    case 'number': return typeof value !== 'number' || !Number.isFinite(value);
    case 'path': return typeof value !== 'string' || pathMistake(value) !== undefined;
    case 'list': return !Array.isArray(value) || !value.every((item) => typeof item === 'string');
  }
}

const wanted = { string: 'a string', path: 'a path', number: 'a number', list: 'a list of strings' } as const;

function fault(field: Field, value: unknown): string {
  if (value === undefined || value === null) return `${field.name} is missing`;
  if (field.type === 'path' && typeof value === 'string') return `${field.name} ${pathMistake(value) ?? 'is not a path'}`;
  return `${field.name} is not ${wanted[field.type]}`;
}

/** The fields that a condition compares, each once. */
export function fieldsIn(tree: Condition, found: Field[] = []): Field[] {
  switch (tree.is) {
    case 'and': case 'or': return fieldsIn(tree.right, fieldsIn(tree.left, found));
    case 'not': return fieldsIn(tree.inner, found);
    case 'exists': return found;
    // Patterns are literals.
    case 'matches':
      addField(tree.left, found);
      return found;
    default:
      addField(tree.left, found);
      addField(tree.right, found);
      return found;
  }
}

function addField(operand: Operand, found: Field[]): void {
  if (operand.is === 'list') for (const item of operand.items) addField(item, found);
  else if (operand.is === 'field' && !found.includes(operand.field)) found.push(operand.field);
}

const none: readonly Field[] = [];

/** The fields that a condition asks `exists` about. */
export function guardsIn(tree: Condition): readonly Field[] {
  if (tree.is === 'and' || tree.is === 'or') {
    const [left, right] = [guardsIn(tree.left), guardsIn(tree.right)];
    return left.length === 0 ? right : right.length === 0 ? left : [...left, ...right];
  }
  if (tree.is === 'not') return guardsIn(tree.inner);
  return tree.is === 'exists' ? [tree.field] : none;
}

type Test = (scope: Scope) => boolean;

function compile(tree: Condition, reading: Reading): Test {
  switch (tree.is) {
    case 'and': {
      const [left, right] = [compile(tree.left, reading), compile(tree.right, reading)];
      return (scope) => left(scope) && right(scope);
    }
    case 'or': {
      const [left, right] = [compile(tree.left, reading), compile(tree.right, reading)];
      return (scope) => left(scope) || right(scope);
    }
    case 'not': {
      const inner = compile(tree.inner, other(reading));
      return (scope) => !inner(scope);
    }
    case 'exists': {
      const { name } = tree.field;
      return ({ context }) => context[name] !== undefined && context[name] !== null && context[name] !== '';
    }
    case 'compare': return compare(tree.operator, tree.left, tree.right, reading);
    case 'in': return listed(tree.left, tree.right, reading);
    case 'contains': return contained(tree.left, tree.right, reading);
    case 'matches': return matched(tree.left, each(tree.right), reading);
    case 'starts': return starts(tree.left, each(tree.right), reading);
  }
}

function other(reading: Reading): Reading {
  return reading === 'all' ? 'any' : 'all';
}

/** The operand's single value, checked for its type. */
function value(operand: Operand): (scope: Scope) => unknown {
  if (operand.is === 'literal') return () => operand.value;
  if (operand.is === 'list') {
    const items = operand.items.map(value);
    return (scope) => items.map((item) => item(scope));
  }
  const { field } = operand;
  return ({ context }) => {
    const found = field.read(context);
    if (unfit(field, found)) throw new CannotEvaluate(fault(field, found));
    return found;
  };
}

function text(operand: Operand): (scope: Scope) => string {
  if (operand.is === 'literal') return () => String(operand.value);
  if (operand.is === 'field' && operand.field.type === 'string') {
    const { field } = operand;
    const { read: given } = field;
    return ({ context }) => {
      const found = given(context);
      if (typeof found !== 'string') throw new CannotEvaluate(fault(field, found));
      return found;
    };
  }
  const read = value(operand);
  return (scope) => {
    const found = read(scope);
    if (typeof found !== 'string') throw new CannotEvaluate(`${spelled(operand)} is not a string`);
    return found;
  };
}

function number(operand: Operand): (scope: Scope) => number {
  if (operand.is === 'field') {
    const { field } = operand;
    const { read: given } = field;
    return ({ context }) => {
      const found = given(context);
      if (typeof found !== 'number' || !Number.isFinite(found)) throw new CannotEvaluate(fault(field, found));
      return found;
    };
  }
  const read = value(operand);
  return (scope) => {
    const found = read(scope);
    if (typeof found !== 'number') throw new CannotEvaluate(`${spelled(operand)} is not a number`);
    return found;
  };
}

function compare(operator: Comparison, left: Operand, right: Operand, reading: Reading): Test {
  if (operator === '!=') {
    const equal = compare('==', left, right, other(reading));
    return (scope) => !equal(scope);
  }
  if (operator === '==' && !isNumeric(left)) {
    return readings(left) === undefined && readings(right) !== undefined
      ? equalTexts(right, left, reading) : equalTexts(left, right, reading);
  }
  const a = number(left);
  if (right.is === 'literal') return compareWith(operator, a, Number(right.value));
  const b = number(right);
  switch (operator) {
    case '==': return (scope) => a(scope) === b(scope);
    case '<': return (scope) => a(scope) < b(scope);
    case '<=': return (scope) => a(scope) <= b(scope);
    case '>': return (scope) => a(scope) > b(scope);
    case '>=': return (scope) => a(scope) >= b(scope);
  }
}

function compareWith(operator: Exclude<Comparison, '!='>, a: (scope: Scope) => number, limit: number): Test {
  switch (operator) {
    case '==': return (scope) => a(scope) === limit;
    case '<': return (scope) => a(scope) < limit;
    case '<=': return (scope) => a(scope) <= limit;
    case '>': return (scope) => a(scope) > limit;
    case '>=': return (scope) => a(scope) >= limit;
  }
}

function isNumeric(operand: Operand): boolean {
  return operand.is === 'field' ? operand.field.type === 'number' : operand.is === 'literal' && typeof operand.value === 'number';
}

function isPath(operand: Operand): boolean {
  return operand.is === 'field' && operand.field.type === 'path';
}

/** The several readings of a path, command or URL; undefined for an operand that can be read in one way only. */
function readings(operand: Operand): ((scope: Scope, reading: Reading) => readonly string[]) | undefined {
  if (operand.is !== 'field') return undefined;
  const read = text(operand);
  if (operand.field.type === 'path') return (scope) => pathReadings(read(scope), scope);
  if (operand.field.name === 'command') return (scope, reading) => commandReadings(read(scope), reading, scope);
  return operand.field.name === 'url' ? (scope) => urlReadings(read(scope)) : undefined;
}

/** Whether the readings of an operand satisfy a test: one test made per evaluation, since it may look at the context. */
function read(operand: Operand, reading: Reading, testIn: (scope: Scope) => (text: string) => boolean): Test {
  const several = readings(operand);
  if (several === undefined) {
    const one = text(operand);
    return (scope) => testIn(scope)(one(scope));
  }
  return (scope) => {
    const found = several(scope, reading);
    return reading === 'all' ? found.every(testIn(scope)) : found.some(testIn(scope));
  };
}

/** As `read`, for a test that does not depend on the context. */
function readAlways(operand: Operand, reading: Reading, test: (text: string) => boolean): Test {
  if (readings(operand) !== undefined) return read(operand, reading, () => test);
  const one = text(operand);
  return (scope) => test(one(scope));
}

/** Literals beside a path are paths too, seen from the project. */
function literalBeside(operand: Operand, right: Operand): (scope: Scope) => string {
  const plain = text(right);
  if (!isPath(operand) || right.is !== 'literal') return plain;
  return (scope) => absoluteLiteral(plain(scope), scope.context);
}

function absoluteLiteral(path: string, context: Context): string {
  const project = context['project_dir'];
  return resolveFrom('/', absolutePath(path, typeof project === 'string' ? project : undefined));
}

function equalTexts(left: Operand, right: Operand, reading: Reading): Test {
  const several = readings(right);
  const one = literalBeside(left, right);
  if (several === undefined && readings(left) === undefined) {
    const plain = text(left);
    if (right.is === 'literal') return (scope) => plain(scope) === right.value;
    return (scope) => plain(scope) === one(scope);
  }
  if (several === undefined) return read(left, reading, (scope) => {
    const wantedText = one(scope);
    return (found) => found === wantedText;
  });
  return read(left, reading, (scope) => {
    const others = several(scope, reading);
    return (found) => others.includes(found);
  });
}

function listed(left: Operand, right: Operand, reading: Reading): Test {
  if (right.is !== 'list') {
    const [item, items] = [value(left), value(right)];
    return (scope) => {
      const list = items(scope);
      if (!Array.isArray(list)) throw new CannotEvaluate('the right side of "in" is not a list');
      return list.includes(item(scope));
    };
  }
  if (readings(left) === undefined && right.items.every((item) => item.is === 'literal')) {
    const item: (scope: Scope) => unknown = isNumeric(left) ? number(left) : text(left);
    const known = new Set<unknown>(right.items.map((member) => member.is === 'literal' ? member.value : undefined));
    return (scope) => known.has(item(scope));
  }
  const tests = right.items.map((item) => compare('==', left, item, 'any'));
  if (reading === 'any' || readings(left) === undefined) return (scope) => tests.some((test) => test(scope));
  const members = right.items.map((item) => literalBeside(left, item));
  return read(left, reading, (scope) => {
    const known = new Set(members.map((member) => member(scope)));
    return (found) => known.has(found);
  });
}

function contained(left: Operand, right: Operand, reading: Reading): Test {
  const part = text(right);
  if (left.is === 'list' || (left.is === 'field' && left.field.type === 'list')) {
    const items = value(left);
    return (scope) => {
      const list = items(scope);
      if (!Array.isArray(list)) throw new CannotEvaluate('the left side of "contains" is not a list');
      return list.includes(part(scope));
    };
  }
  return read(left, reading, (scope) => {
    const wantedPart = part(scope);
    return (found) => found.includes(wantedPart);
  });
}

function matched(left: Operand, patterns: readonly Operand[], reading: Reading): Test {
  const texts = patterns.flatMap((item) => item.is === 'literal' && typeof item.value === 'string' ? [item.value] : []);
  if (left.is === 'field' && left.field.name === 'command' && reading === 'any') return commandMatched(text(left), texts);
  if (!isPath(left)) {
    const globs = texts.map((item) => isUrl(left) && reading === 'all' ? urlPattern(item) : glob(item, 'text'));
    const [only] = globs;
    return readAlways(left, reading, only !== undefined && globs.length === 1 ? only : (found) => globs.some((test) => test(found)));
  }
  const tests = texts.map(pathPattern);
  return read(left, reading, (scope) => (found) => tests.some((test) => test(found, scope)));
}

/** Patterns that a command line must not match: each is held against the commands in it, and against the line itself only where it speaks of a line. */
function commandMatched(line: (scope: Scope) => string, patterns: readonly string[]): Test {
  const tests = patterns.map((pattern) => ({ test: glob(pattern, 'text'), ofLine: speaksOfLine(pattern) }));
  return (scope) => {
    const given = line(scope);
    const { written, canonical } = scope.commandsIn(given);
    const understood = written.some((command) => command !== '');
    return tests.some(({ test, ofLine }) => ((ofLine || !understood) && test(given)) || written.some(test) || canonical.some(test));
  };
}

/** A pattern that begins anywhere, or has a sign between commands in it. One that names its program would else take the words of a later command for those of the first. */
function speaksOfLine(pattern: string): boolean {
  return /^\*|[|;&<>()$`\n]/.test(pattern);
}

function isUrl(operand: Operand): boolean {
  return operand.is === 'field' && operand.field.name === 'url';
}

/** Where a URL is permitted, a star stays between two slashes, so that no path can pass for a host; a last one takes all the rest. */
function urlPattern(pattern: string): GlobTest {
  return glob(pattern.endsWith('/*') ? `${pattern}*` : pattern, 'path');
}

function glob(pattern: string, kind: GlobKind): GlobTest {
  const test = compileGlob(pattern, kind);
  if (typeof test !== 'function') throw new CannotEvaluate(test.mistake);
  return test;
}

/** A pattern without a separator is a file name anywhere; with one it is seen from the project, or from the root. */
function pathPattern(pattern: string): (path: string, scope: Scope) => boolean {
  if (pattern.startsWith('/') || pattern.startsWith('**/')) return onlyPath(glob(pattern, 'path'));
  if (!pattern.includes('/')) return onlyPath(glob(`**/${pattern}`, 'path'));
  const test = glob(pattern.replace(/^\.\//, ''), 'path');
  return (path, scope) => {
    const project = scope.context['project_dir'];
    if (typeof project !== 'string') throw new CannotEvaluate(`project_dir is missing, and the pattern ${JSON.stringify(pattern)} is seen from it`);
    const below = relative(path, resolveFrom('/', project)) ?? relative(path, realPath(project, scope.probe));
    return below !== undefined && test(below);
  };
}

function onlyPath(test: GlobTest): (path: string) => boolean {
  return (path) => test(path);
}

function relative(path: string, directory: string): string | undefined {
  return isInside(path, directory) ? path.slice(directory.endsWith('/') ? directory.length : directory.length + 1) : undefined;
}

function starts(left: Operand, directories: readonly Operand[], reading: Reading): Test {
  const path = text(left);
  const tests = directories.map((directory) => text(directory));
  return (scope) => {
    const places = realPlaces(path(scope), startOf(scope.context), scope.probe);
    const project = scope.context['project_dir'];
    const base = typeof project === 'string' ? project : undefined;
    const inside = (place: string): boolean => tests.some((directory) => isReallyInside(place, directory(scope), base, scope.probe));
    return reading === 'all' ? places.every(inside) : places.some(inside);
  };
}
