/**
 * As much of TOML as it takes to look into an agent's configuration and to put tables of ours into it or take them out, every other
 * byte kept. A text is cut into statements (a table's header, or a key with its value); what cannot be cut so is refused whole, for
 * its owner to repair. Dates are read as the text they are.
 */
import { LokiError } from '../errors.ts';
import type { JsonValue } from '../base/json.ts';
import { excerptAt } from './excerpt.ts';

/** One statement with its place. `path`: the table's name, or the key below the table that it stands in. */
export type TomlStatement =
  | { readonly kind: 'table'; readonly path: readonly string[]; readonly isList: boolean; readonly from: number; readonly to: number }
  | { readonly kind: 'pair'; readonly path: readonly string[]; readonly value: JsonValue; readonly from: number; readonly to: number };

/** Inline tables and lists nest no deeper. */
const deepest = 32;

/** Cuts a text into statements. `what` names it in messages. Throws `config.invalid` with the place. */
export function readToml(text: string, what: string): readonly TomlStatement[] {
  return new Reader(text, what).statements();
}

/** What stands at a path, inline tables looked into; undefined when nothing does. Of a list of tables the first. */
export function tomlValue(statements: readonly TomlStatement[], path: readonly string[]): JsonValue | undefined {
  for (const statement of statements) {
    if (statement.kind !== 'pair' || !startsWith(path, statement.path)) continue;
    let value: JsonValue | undefined = statement.value;
    for (const step of path.slice(statement.path.length)) value = isTable(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

function isTable(value: JsonValue | undefined): value is { readonly [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.length <= path.length && start.every((step, at) => path[at] === step);
}

/** A text as TOML writes it in double quotes. */
export function tomlText(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}

/** Puts whole tables, as they are to be written, at the end of the text. */
export function appendTables(text: string, tables: string): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const gap = text.replace(/^\ufeff/, '') === '' ? '' : text.endsWith('\n') ? newline : newline + newline;
  return text + gap + tables.replaceAll('\n', newline);
}

/** Takes out the tables that `isOurs` names, with all that stands in them up to the next header, and the empty line above. */
export function removeTables(text: string, what: string, isOurs: (path: readonly string[]) => boolean): string {
  const tables = readToml(text, what).filter((statement) => statement.kind === 'table');
  let result = '';
  let kept = 0;
  tables.forEach((table, at) => {
    if (!isOurs(table.path)) return;
    const before = text.slice(kept, table.from);
    result += before.replace(/(\r?\n|^)\r?\n$/, '$1');
    kept = endOfTable(text, table.to, tables[at + 1]?.from ?? text.length);
  });
  // What stood below a table at the very top does not begin with the empty line between them.
  return result === '' && kept > 0 ? text.slice(kept).replace(/^(?:\r?\n)+/, '') : result + text.slice(kept);
}

/** A table ends with its last line; comments that stand before the next header, set apart by an empty line, belong to that one. */
function endOfTable(text: string, from: number, next: number): number {
  const body = text.slice(from, next);
  const apart = /\r?\n(?=\r?\n[ \t]*#)/.exec(body);
  if (apart !== null) return from + apart.index + apart[0].length;
  const gap = next === text.length ? 0 : (/(?:\r?\n[ \t]*)*$/.exec(body)?.[0].replace(/^\r?\n/, '').length ?? 0);
  return next - gap;
}

/** Puts a line `key = value` right below a table's header. */
export function addPair(text: string, table: TomlStatement, line: string): string {
  const end = text.indexOf('\n', table.to);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  return end < 0 ? `${text}${newline}${line}${newline}` : `${text.slice(0, end + 1)}${line}${newline}${text.slice(end + 1)}`;
}

const bareKey = /[A-Za-z0-9_-]+/y;
const bareValue = /[^\s,\]}#"'[{]+(?: \d\d:[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?/y;

class Reader {
  readonly #text: string;
  readonly #what: string;
  #at: number;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
    this.#at = text.startsWith('\ufeff') ? 1 : 0;
  }

  statements(): readonly TomlStatement[] {
    const found: TomlStatement[] = [];
    const seen = new Set<string>();
    let table: readonly string[] = [];
    for (;;) {
      this.#skipLines();
      if (this.#at >= this.#text.length) return found;
      const from = this.#at;
      if (this.#text.charAt(from) === '[') {
        const isList = this.#text.startsWith('[[', from);
        this.#at += isList ? 2 : 1;
        table = this.#key();
        this.#expect(isList ? ']]' : ']');
        if (!isList) this.#once(seen, `table ${JSON.stringify(table)}`, from);
        else forgetBelow(seen, table);
        found.push({ kind: 'table', path: table, isList, from, to: this.#at });
      } else {
        const path = [...table, ...this.#key()];
        this.#once(seen, `pair ${JSON.stringify(path)}`, from);
        this.#expect('=');
        const value = this.#value(0);
        found.push({ kind: 'pair', path, value, from, to: this.#at });
      }
      this.#endOfLine();
    }
  }

  #once(seen: Set<string>, name: string, at: number): void {
    if (seen.has(name)) throw this.#wrong(`${name.slice(0, 200)} is there twice`, at);
    seen.add(name);
  }

  #key(): readonly string[] {
    const parts: string[] = [];
    for (;;) {
      this.#skipBlanks();
      const open = this.#text.charAt(this.#at);
      parts.push(open === '"' || open === '\'' ? this.#quoted(false) : this.#match(bareKey, 'a key is expected here'));
      this.#skipBlanks();
      if (this.#text.charAt(this.#at) !== '.') return parts;
      this.#at += 1;
    }
  }

  #value(depth: number): JsonValue {
    if (depth > deepest) throw this.#wrong(`it nests deeper than ${deepest} levels`);
    this.#skipBlanks();
    const open = this.#text.charAt(this.#at);
    if (open === '"' || open === '\'') return this.#quoted(true);
    if (open === '[') return this.#list(depth);
    if (open === '{') return this.#inlineTable(depth);
    return scalarOf(this.#match(bareValue, 'a value is expected here'));
  }

  #list(depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#at += 1;
    for (;;) {
      this.#skipLines();
      if (this.#text.charAt(this.#at) === ']') break;
      items.push(this.#value(depth + 1));
      this.#skipLines();
      if (this.#text.charAt(this.#at) !== ',') break;
      this.#at += 1;
    }
    this.#expect(']');
    return items;
  }

  #inlineTable(depth: number): JsonValue {
    const members = new Map<string, JsonValue>();
    this.#at += 1;
    for (;;) {
      this.#skipLines();
      if (this.#text.charAt(this.#at) === '}') break;
      const key = this.#key();
      this.#expect('=');
      const name = key.join('.');
      if (members.has(name)) throw this.#wrong(`the key ${JSON.stringify(name)} is there twice`);
      members.set(name, this.#value(depth + 1));
      this.#skipLines();
      if (this.#text.charAt(this.#at) !== ',') break;
      this.#at += 1;
    }
    this.#expect('}');
    return Object.fromEntries(members);
  }

  /** A text in one of the four kinds of quotes. */
  #quoted(mayBeLong: boolean): string {
    const mark = this.#text.charAt(this.#at);
    const isLong = mayBeLong && this.#text.startsWith(mark.repeat(3), this.#at);
    const close = isLong ? mark.repeat(3) : mark;
    const start = this.#at + close.length;
    let end = start;
    for (; ; end += 1) {
      const char = this.#text.charAt(end);
      if (char === '' || (!isLong && (char === '\n' || char === '\r'))) throw this.#wrong('a text in quotes is not closed');
      if (this.#text.startsWith(close, end)) break;
      if (mark === '"' && char === '\\') end += 1;
    }
    // A long text may end with quotes of its own before the three that close it.
    while (isLong && this.#text.charAt(end + 3) === mark) end += 1;
    this.#at = end + close.length;
    const inner = this.#text.slice(start, end);
    if (mark === '\'') return inner;
    try {
      return isLong ? inner : String(JSON.parse(`"${inner.replaceAll('\t', '\\t').replace(/\\e/g, '\\u001b')}"`));
    } catch {
      throw this.#wrong('a text in quotes has an escape that is not known', start);
    }
  }

  #match(form: RegExp, otherwise: string): string {
    form.lastIndex = this.#at;
    const found = form.exec(this.#text)?.[0];
    if (found === undefined) throw this.#wrong(otherwise);
    this.#at += found.length;
    return found;
  }

  #expect(mark: string): void {
    this.#skipBlanks();
    if (!this.#text.startsWith(mark, this.#at)) throw this.#wrong(`${mark} is expected here`);
    this.#at += mark.length;
  }

  #skipBlanks(): void {
    while (/[ \t]/.test(this.#text.charAt(this.#at))) this.#at += 1;
  }

  /** Blanks, line ends and comments. */
  #skipLines(): void {
    for (;;) {
      while (/[ \t\r\n]/.test(this.#text.charAt(this.#at))) this.#at += 1;
      if (this.#text.charAt(this.#at) !== '#') return;
      while (!/^[\r\n]?$/.test(this.#text.charAt(this.#at))) this.#at += 1;
    }
  }

  #endOfLine(): void {
    this.#skipBlanks();
    if (this.#text.charAt(this.#at) === '#') while (!/^[\r\n]?$/.test(this.#text.charAt(this.#at))) this.#at += 1;
    if (!/^[\r\n]?$/.test(this.#text.charAt(this.#at))) throw this.#wrong('the end of the line is expected here');
  }

  #wrong(found: string, offset: number = this.#at): LokiError {
    const before = this.#text.slice(0, offset).replace(/^\ufeff/, '').split(/\r?\n/);
    const [line, column] = [before.length, (before[before.length - 1] ?? '').length + 1];
    const problem = { message: found, line, column, excerpt: excerptAt(this.#text, line, column) };
    return new LokiError('config.invalid', { attempted: `read ${this.#what}`, found: `${found} (line ${line}, column ${column})`, problems: [problem], hint: 'Correct the marked place' });
  }
}

/** The next table of a list begins anew: its keys and tables may be there again. */
function forgetBelow(seen: Set<string>, table: readonly string[]): void {
  const start = JSON.stringify(table).slice(0, -1);
  for (const known of [...seen]) if (known.slice(known.indexOf(' ') + 1).startsWith(start)) seen.delete(known);
}

function scalarOf(text: string): JsonValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^[+-]?\d[\d_]*(?:\.[\d_]+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text.replaceAll('_', '')) : text;
}
