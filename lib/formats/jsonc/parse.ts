/**
 * JSON with comments and trailing commas, read as a tree that knows where everything stands, so that a text can be changed in one
 * place and keep every other byte. It refuses what two readers could read differently (a member named twice) and nesting beyond a
 * bound: such a text is its owner's to repair, not ours to change.
 */
import { LokiError } from '../../errors.ts';
import type { JsonValue } from '../../base/json.ts';
import { excerptAt } from '../excerpt.ts';

/** Where something stands: offsets in UTF-16 code units, the end not included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface MemberNode extends Span {
  readonly name: string;
  readonly value: JsonNode;
}

export type JsonNode =
  | (Span & { readonly kind: 'object'; readonly items: readonly MemberNode[] })
  | (Span & { readonly kind: 'array'; readonly items: readonly JsonNode[] })
  | (Span & { readonly kind: 'scalar'; readonly value: JsonValue });

export interface JsonDocument {
  readonly root: JsonNode;
  /** Whether it holds a comment or a trailing comma, which not every reader takes. */
  readonly isStrict: boolean;
}

/** No settings file nests deeper. */
const deepest = 64;

/** Reads one text. `what` names it in messages: `".claude/settings.json"`. Throws `json.invalid` with the place. */
export function parseJsonc(text: string, what: string): JsonDocument {
  const reader = new Reader(text, what);
  const root = reader.document();
  return { root, isStrict: reader.isStrict };
}

/** The value that a node stands for. */
export function valueOf(node: JsonNode): JsonValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'array') return node.items.map(valueOf);
  return Object.fromEntries(node.items.map(({ name, value }) => [name, valueOf(value)]));
}

/** The node at a path of member names and indexes; undefined when there is none. */
export function nodeAt(root: JsonNode, path: readonly (string | number)[]): JsonNode | undefined {
  let node: JsonNode | undefined = root;
  for (const step of path) {
    if (node === undefined) return undefined;
    if (typeof step === 'number') node = node.kind === 'array' ? node.items[step] : undefined;
    else node = node.kind === 'object' ? node.items.find(({ name }) => name === step)?.value : undefined;
  }
  return node;
}

const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const quoted = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y;

class Reader {
  readonly #text: string;
  readonly #what: string;
  #at: number;
  isStrict = true;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
    this.#at = text.startsWith('\ufeff') ? 1 : 0;
  }

  document(): JsonNode {
    this.#skip();
    if (this.#at === this.#text.length) throw this.#wrong('there is nothing in it');
    const root = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) throw this.#wrong('something follows its end');
    return root;
  }

  #value(depth: number): JsonNode {
    if (depth > deepest) throw this.#wrong(`it nests deeper than ${deepest} levels`);
    const open = this.#text.charAt(this.#at);
    if (open === '{') return this.#object(depth);
    if (open === '[') return this.#array(depth);
    const from = this.#at;
    const value = open === '"' ? this.#string() : this.#scalar();
    return { kind: 'scalar', from, to: this.#at, value };
  }

  #object(depth: number): JsonNode {
    const from = this.#at;
    const items: MemberNode[] = [];
    const names = new Set<string>();
    this.#list('}', () => {
      const start = this.#at;
      const name = this.#text.charAt(start) === '"' ? this.#string() : undefined;
      if (name === undefined) throw this.#wrong('a member\'s name is expected here');
      if (names.has(name)) throw this.#wrong(`the member ${JSON.stringify(name)} is there twice`, start);
      names.add(name);
      this.#skip();
      if (this.#text.charAt(this.#at) !== ':') throw this.#wrong('a colon is expected here');
      this.#at += 1;
      this.#skip();
      const value = this.#value(depth + 1);
      items.push({ name, value, from: start, to: value.to });
    });
    return { kind: 'object', from, to: this.#at, items };
  }

  #array(depth: number): JsonNode {
    const from = this.#at;
    const items: JsonNode[] = [];
    this.#list(']', () => items.push(this.#value(depth + 1)));
    return { kind: 'array', from, to: this.#at, items };
  }

  /** What stands between an opening bracket and `close`, `item` by item. */
  #list(close: string, item: () => void): void {
    this.#at += 1;
    let afterComma = false;
    for (;;) {
      this.#skip();
      if (this.#text.charAt(this.#at) === close) break;
      item();
      this.#skip();
      const next = this.#text.charAt(this.#at);
      afterComma = next === ',';
      if (afterComma) this.#at += 1;
      else if (next === close) break;
      else throw this.#wrong(`a comma or ${close} is expected here`);
    }
    if (afterComma) this.isStrict = false;
    this.#at += 1;
  }

  #string(): string {
    quoted.lastIndex = this.#at;
    const found = quoted.exec(this.#text)?.[0];
    if (found === undefined) throw this.#wrong('a text in quotes is not closed, or holds a control character');
    try {
      const value = String(JSON.parse(found));
      this.#at += found.length;
      return value;
    } catch {
      throw this.#wrong('a text in quotes has an escape that does not exist');
    }
  }

  #scalar(): JsonValue {
    scalar.lastIndex = this.#at;
    const found = scalar.exec(this.#text)?.[0];
    if (found === undefined || /[\w.+-]/.test(this.#text.charAt(this.#at + found.length))) throw this.#wrong('a value is expected here');
    this.#at += found.length;
    const value: JsonValue = JSON.parse(found);
    return value;
  }

  /** White space and comments. */
  #skip(): void {
    for (;;) {
      while (/[ \t\r\n]/.test(this.#text.charAt(this.#at))) this.#at += 1;
      const end = commentEnd(this.#text, this.#at);
      if (end === undefined) return;
      if (end < 0) throw this.#wrong('a comment is not closed');
      this.isStrict = false;
      this.#at = end;
    }
  }

  #wrong(found: string, offset: number = this.#at): LokiError {
    const before = this.#text.slice(0, offset).replace(/^\ufeff/, '').split(/\r\n?|\n/);
    const [line, column] = [before.length, (before[before.length - 1] ?? '').length + 1];
    const problem = { message: found, line, column, excerpt: excerptAt(this.#text, line, column) };
    return new LokiError('json.invalid', { attempted: `read ${this.#what}`, found: `${found} (line ${line}, column ${column})`, problems: [problem], hint: 'Correct the marked place' });
  }
}

/** Where the comment at `at` ends; undefined when there is none, -1 when it does not end. */
export function commentEnd(text: string, at: number): number | undefined {
  if (text.startsWith('//', at)) {
    const end = /[\r\n]/.exec(text.slice(at));
    return end === null ? text.length : at + end.index;
  }
  if (!text.startsWith('/*', at)) return undefined;
  const end = text.indexOf('*/', at + 2);
  return end < 0 ? -1 : end + 2;
}
