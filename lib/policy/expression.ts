/**
 * The expression language of policies, as text and tree: one scan to tokens, one descent to a tree in which every name is
 * a known field, every glob compiles and every type fits. Whatever is wrong is thrown as one `ExpressionMistake` with its
 * offset; a tree that comes out can only fail later through the values it is given.
 */
import { compileGlob } from '../base/glob.ts';
import { didYouMean } from '../base/suggest.ts';
import type { Field, FieldType } from './fields.ts';

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type Literal = string | number;

export type Operand =
  | { readonly is: 'field'; readonly field: Field; readonly at: number }
  | { readonly is: 'literal'; readonly value: Literal; readonly at: number }
  | { readonly is: 'list'; readonly items: readonly Operand[]; readonly at: number };

export type Condition =
  | { readonly is: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly is: 'not'; readonly inner: Condition }
  | { readonly is: 'exists'; readonly field: Field }
  | { readonly is: 'compare'; readonly operator: Comparison; readonly left: Operand; readonly right: Operand }
  | { readonly is: 'in' | 'contains' | 'starts' | 'matches'; readonly left: Operand; readonly right: Operand };

/** What is wrong with an expression, `at` UTF-16 code units from its start. */
export class ExpressionMistake extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

export const longestExpression = 4096;
const mostTokens = 1000;
const deepest = 64;

interface Token { readonly is: 'name' | 'string' | 'number' | 'sign' | 'end'; readonly text: string; readonly at: number }

const words = new Set(['and', 'or', 'not', 'in', 'must', 'start', 'with', 'matches', 'contains', 'exists']);
/** A stretch of blanks, a name, a number, a string or a sign; its first character says which. */
const pattern = /\s+|[A-Za-z_][\w-]*|-?\d+(?:\.\d+)?|'[^']*'|"[^"]*"|[=!<>]=|[<>()[\],]/y;
const [nameStart, numberStart, blankStart] = [/^[A-Za-z_]/, /^[-\d]/, /^\s/];

function tokenize(text: string): Token[] {
  if (text.length > longestExpression) throw new ExpressionMistake(`the expression is longer than ${longestExpression} characters`, longestExpression);
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    if (!pattern.test(text)) throw new ExpressionMistake(unreadable(text, at), at);
    const found = text.slice(at, pattern.lastIndex);
    if (nameStart.test(found)) tokens.push({ is: 'name', text: found, at });
    else if (found.startsWith('"') || found.startsWith("'")) tokens.push({ is: 'string', text: found.slice(1, -1), at });
    else if (numberStart.test(found)) tokens.push({ is: 'number', text: found, at });
    else if (!blankStart.test(found)) tokens.push({ is: 'sign', text: found, at });
    if (tokens.length > mostTokens) throw new ExpressionMistake(`the expression has more than ${mostTokens} words`, at);
  }
  tokens.push({ is: 'end', text: 'the end', at: text.length });
  return tokens;
}

const near: Readonly<Record<string, string>> = { '=': 'use == to compare', '&': 'use and', '|': 'use or', '!': 'use not' };

function unreadable(text: string, at: number): string {
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (char === '"' || char === "'") return `the string that opens with ${char} is not closed`;
  const hint = near[char];
  return `${JSON.stringify(char)} has no meaning here${hint === undefined ? '' : ` (${hint})`}`;
}

/** The tree of an expression over the given fields. Throws `ExpressionMistake`. */
export function parseExpression(text: string, fields: ReadonlyMap<string, Field>): Condition {
  const parser = new Parser(tokenize(text), fields);
  return parser.whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #fields: ReadonlyMap<string, Field>;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], fields: ReadonlyMap<string, Field>) {
    this.#tokens = tokens;
    this.#fields = fields;
  }

  whole(): Condition {
    if (this.#peek().is === 'end') throw new ExpressionMistake('the expression is empty', 0);
    const tree = this.#or();
    const rest = this.#peek();
    if (rest.is !== 'end') throw new ExpressionMistake(`"and" or "or" expected before ${quoted(rest)}${didYouMean(rest.text, words)}`, rest.at);
    return tree;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { is: 'end', text: 'the end', at: 0 };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  #skip(text: string): boolean {
    const token = this.#peek();
    if (token.is === 'string' || token.text !== text || token.is === 'end') return false;
    this.#next += 1;
    return true;
  }

  #need(text: string): void {
    if (!this.#skip(text)) throw new ExpressionMistake(`"${text}" expected, found ${quoted(this.#peek())}`, this.#peek().at);
  }

  #or(): Condition {
    let left = this.#and();
    while (this.#skip('or')) left = { is: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Condition {
    let left = this.#not();
    while (this.#skip('and')) left = { is: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Condition {
    const at = this.#peek().at;
    if (!this.#skip('not')) return this.#condition();
    this.#enter(at);
    const inner = this.#not();
    this.#depth -= 1;
    return { is: 'not', inner };
  }

  #enter(at: number): void {
    this.#depth += 1;
    if (this.#depth > deepest) throw new ExpressionMistake(`nested deeper than ${deepest}`, at);
  }

  #condition(): Condition {
    const at = this.#peek().at;
    if (this.#skip('(')) {
      this.#enter(at);
      const inner = this.#or();
      this.#need(')');
      this.#depth -= 1;
      return inner;
    }
    if (this.#skip('exists')) return this.#exists(this.#operand(), at);
    const left = this.#operand();
    if (this.#skip('exists')) return this.#exists(left, at);
    return this.#relation(left);
  }

  #exists(operand: Operand, at: number): Condition {
    if (operand.is !== 'field') throw new ExpressionMistake('"exists" asks about a field', at);
    return { is: 'exists', field: operand.field };
  }

  #relation(left: Operand): Condition {
    if (this.#skip('not')) {
      const token = this.#peek();
      if (!['in', 'matches', 'contains'].includes(token.text)) throw new ExpressionMistake('"in", "matches" or "contains" expected after "not"', token.at);
      return { is: 'not', inner: this.#relation(left) };
    }
    const operator = this.#take();
    if (operator.is === 'sign' && /^(?:[=!<>]=|[<>])$/.test(operator.text)) return compare(operator, left, this.#operand());
    if (operator.is === 'name') {
      switch (operator.text) {
        case 'in': return listed(left, this.#operand(), operator.at);
        case 'contains': return contained(left, this.#operand(), operator.at);
        case 'matches': return matched(left, this.#operand(), operator.at);
        case 'must':
          this.#need('start');
          this.#need('with');
          return startsWith(left, this.#operand(), operator.at);
      }
    }
    throw new ExpressionMistake(`a comparison expected after ${spelled(left)}, found ${quoted(operator)}${didYouMean(operator.text, words)}`, operator.at);
  }

  #operand(): Operand {
    const token = this.#take();
    if (token.is === 'string') return { is: 'literal', value: token.text, at: token.at };
    if (token.is === 'number') return { is: 'literal', value: Number(token.text), at: token.at };
    if (token.is === 'sign' && token.text === '[') return this.#list(token.at);
    if (token.is !== 'name' || words.has(token.text)) throw new ExpressionMistake(`a field, string, number or list expected, found ${quoted(token)}`, token.at);
    const field = this.#fields.get(token.text);
    if (field === undefined) {
      throw new ExpressionMistake(`"${token.text}" is not a field of this enforcement point${didYouMean(token.text, this.#fields.keys())}`, token.at);
    }
    return { is: 'field', field, at: token.at };
  }

  #list(at: number): Operand {
    const items: Operand[] = [];
    if (this.#skip(']')) throw new ExpressionMistake('the list is empty', at);
    do {
      const item = this.#operand();
      if (item.is === 'list') throw new ExpressionMistake('a list inside a list', item.at);
      items.push(item);
    } while (this.#skip(','));
    this.#need(']');
    return { is: 'list', items, at };
  }
}

function quoted(token: Token): string {
  return token.is === 'end' ? 'the end of the expression' : `"${token.text}"`;
}

/** The operand as a person would write it. */
export function spelled(operand: Operand): string {
  if (operand.is === 'field') return operand.field.name;
  if (operand.is === 'literal') return JSON.stringify(operand.value);
  return `[${operand.items.map(spelled).join(', ')}]`;
}

/** The condition as a person would write it, with brackets where it needs them. */
export function spelledCondition(tree: Condition): string {
  const inner = (part: Condition): string => (part.is === 'and' || part.is === 'or') && part.is !== tree.is ? `(${spelledCondition(part)})` : spelledCondition(part);
  switch (tree.is) {
    case 'and': case 'or': return `${inner(tree.left)} ${tree.is} ${inner(tree.right)}`;
    case 'not': return `not ${inner(tree.inner)}`;
    case 'exists': return `${tree.field.name} exists`;
    case 'compare': return `${spelled(tree.left)} ${tree.operator} ${spelled(tree.right)}`;
    case 'starts': return `${spelled(tree.left)} must start with ${spelled(tree.right)}`;
    case 'in': case 'contains': case 'matches': return `${spelled(tree.left)} ${tree.is} ${spelled(tree.right)}`;
  }
}

function typeOf(operand: Operand): FieldType {
  if (operand.is === 'field') return operand.field.type;
  if (operand.is === 'list') return 'list';
  return typeof operand.value === 'number' ? 'number' : 'string';
}

function isText(operand: Operand): boolean {
  const type = typeOf(operand);
  return type === 'string' || type === 'path';
}

function compare(operator: Token, left: Operand, right: Operand): Condition {
  const sign = operator.text;
  const both = typeOf(left) === 'number' && typeOf(right) === 'number';
  if (sign === '==' || sign === '!=') {
    if (!both && !(isText(left) && isText(right))) throw new ExpressionMistake(`${described(left)}, ${described(right)}: they are never equal`, operator.at);
    checkWords(left, right);
    checkWords(right, left);
    return { is: 'compare', operator: sign, left, right };
  }
  if (!both) throw new ExpressionMistake(`"${sign}" compares numbers; ${described(typeOf(left) === 'number' ? right : left)}`, operator.at);
  if (sign === '<' || sign === '<=' || sign === '>' || sign === '>=') return { is: 'compare', operator: sign, left, right };
  throw new ExpressionMistake(`"${sign}" is not a comparison`, operator.at);
}

const typeNames: Readonly<Record<FieldType, string>> = { string: 'a string', path: 'a path', number: 'a number', list: 'a list' };

function described(operand: Operand): string {
  return `${spelled(operand)} is ${typeNames[typeOf(operand)]}`;
}

/** A word that can never stand in the field would make a rule that never applies. */
function checkWords(operand: Operand, literal: Operand): void {
  if (operand.is !== 'field' || operand.field.words === undefined || literal.is !== 'literal') return;
  const { name, words: known } = operand.field;
  const text = String(literal.value);
  if (!known.includes(text)) throw new ExpressionMistake(`"${text}" is no ${name}${didYouMean(text, known)}; known: ${known.join(', ')}`, literal.at);
}

function listed(left: Operand, right: Operand, at: number): Condition {
  if (typeOf(right) !== 'list') throw new ExpressionMistake(`"in" needs a list on its right; ${described(right)}`, right.at);
  if (typeOf(left) === 'list') throw new ExpressionMistake(`"in" needs a single value on its left; ${described(left)}`, at);
  if (right.is === 'list') {
    for (const item of right.items) {
      if ((typeOf(item) === 'number') !== (typeOf(left) === 'number')) throw new ExpressionMistake(`${described(item)}, ${described(left)}`, item.at);
      checkWords(left, item);
    }
  }
  return { is: 'in', left, right };
}

function contained(left: Operand, right: Operand, at: number): Condition {
  if (typeOf(left) === 'number') throw new ExpressionMistake(`"contains" needs a list or a string on its left; ${described(left)}`, at);
  if (!isText(right)) throw new ExpressionMistake(`"contains" needs a string on its right; ${described(right)}`, right.at);
  return { is: 'contains', left, right };
}

/** The operands of a list, or the one operand itself. */
export function each(operand: Operand): readonly Operand[] {
  return operand.is === 'list' ? operand.items : [operand];
}

function matched(left: Operand, right: Operand, at: number): Condition {
  if (!isText(left)) throw new ExpressionMistake(`"matches" needs a string on its left; ${described(left)}`, at);
  for (const item of each(right)) {
    if (item.is !== 'literal' || typeof item.value !== 'string') throw new ExpressionMistake(`"matches" needs a pattern in quotes; found ${spelled(item)}`, item.at);
    const glob = compileGlob(item.value, typeOf(left) === 'path' ? 'path' : 'text');
    if (typeof glob !== 'function') throw new ExpressionMistake(glob.mistake, item.at + 1 + glob.at);
  }
  return { is: 'matches', left, right };
}

function startsWith(left: Operand, right: Operand, at: number): Condition {
  if (typeOf(left) !== 'path') throw new ExpressionMistake(`"must start with" compares paths; ${described(left)} (for other text use matches "…*")`, at);
  for (const item of each(right)) {
    if (!isText(item)) throw new ExpressionMistake(`"must start with" compares paths; ${described(item)}`, item.at);
  }
  return { is: 'starts', left, right };
}
