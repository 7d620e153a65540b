/**
 * The little of a shell that examples in the documentation use: words with quotes, variables, `$(…)`, pipes, comments behind a
 * command. What is beyond that is an error, so that no example is passed over. For tests.
 */

/** A word is made of parts that are joined. */
export type Part = { readonly text: string } | { readonly variable: string } | { readonly run: Pipeline };
export type Word = readonly Part[];
export type Pipeline = readonly (readonly Word[])[];

export interface Statement {
  readonly pipeline: Pipeline;
  /** What stands behind it after `#`. */
  readonly comment: string;
}

/** Reads a block. Throws for what it does not understand. */
export function parseShell(text: string): readonly Statement[] {
  const reader = new Reader(text.replaceAll('\\\n', ' '));
  const statements: Statement[] = [];
  while (!reader.atEnd()) {
    const statement = reader.statement();
    if (statement.pipeline.some((words) => words.length > 0)) statements.push(statement);
  }
  return statements;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  statement(): Statement {
    const pipeline: Word[][] = [[]];
    for (;;) {
      this.#skip(/[ \t]*/y);
      const next = this.#text[this.#at];
      if (next === '#') return { pipeline, comment: this.#skip(/[^\n]*/y).slice(1).trim() };
      if (next === undefined || next === ')' || next === '\n') {
        if (next === '\n') this.#at += 1;
        return { pipeline, comment: '' };
      }
      if (next === '|') {
        this.#skip(/\|\s*/y);
        pipeline.push([]);
      } else pipeline.at(-1)?.push(this.#word());
    }
  }

  #word(): Word {
    const parts: Part[] = [];
    for (;;) {
      const next = this.#text[this.#at] ?? '\n';
      if (/[\s|)]/.test(next)) return parts;
      if (next === "'") parts.push({ text: this.#skip(/'[^']*'/y).slice(1, -1) });
      else if (next === '"') parts.push(...this.#quoted());
      else if (next === '$') parts.push(this.#dollar());
      else parts.push({ text: this.#skip(/[^\s|)'"$`;&<>\\]+/y) });
    }
  }

  #quoted(): readonly Part[] {
    const parts: Part[] = [{ text: '' }];
    this.#at += 1;
    while (this.#text[this.#at] !== '"') {
      if (this.#text[this.#at] === '$') parts.push(this.#dollar());
      else if (this.#text[this.#at] === '\\') parts.push({ text: this.#skip(/\\["\\$]/y).slice(1) });
      else parts.push({ text: this.#skip(/[^"$\\`]+/y) });
    }
    this.#at += 1;
    return parts;
  }

  #dollar(): Part {
    if (this.#text[this.#at + 1] !== '(') return { variable: this.#skip(/\$[A-Z_]+/y).slice(1) };
    this.#at += 2;
    const { pipeline } = this.statement();
    this.#skip(/\)/y);
    return { run: pipeline };
  }

  /** What the pattern takes here. */
  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw new Error(`not understood: ${JSON.stringify(this.#text.slice(this.#at, this.#at + 60))}`);
    this.#at += found.length;
    return found;
  }
}
