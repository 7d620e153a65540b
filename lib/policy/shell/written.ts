/** What a command line writes into files as text, to be read when it runs one of them later on. */
import { longestCommand } from './limits.ts';
import { outputOf } from './literal.ts';
import type { Feed } from './supplied.ts';
import type { SimpleCommand, Word } from './tree.ts';

/** Files whose content is remembered. */
const mostWritten = 32;

export class Written {
  readonly #texts = new Map<string, string>();

  /** Keeps the text that the command writes into files, where it shows. */
  remember(command: SimpleCommand, feed: Feed | undefined): void {
    const names = command.redirects.filter(({ operator }) => /^(?:>|>>|>\||&>)$/.test(operator)).map(({ target }) => target);
    const tee = command.words[0]?.text === 'tee' ? command.words.slice(1).filter(({ text }) => !text.startsWith('-')) : [];
    if (names.length === 0 && tee.length === 0) return;
    const input = command.input[command.input.length - 1];
    const text = tee.length > 0 ? input?.text ?? feed?.text() : outputOf(command, () => feed?.text());
    if (text === undefined) return;
    for (const { text: name, dynamic } of [...names, ...tee]) if (!dynamic && this.#texts.size < mostWritten) this.#append(fileKey(name), text);
  }

  /** What the file holds, where a command before has written it. Told once: a script may start itself. */
  take(word: Word): string | undefined {
    if (this.#texts.size === 0 || word.dynamic) return undefined;
    const name = fileKey(word.text);
    const text = this.#texts.get(name);
    this.#texts.delete(name);
    return text;
  }

  #append(name: string, text: string): void {
    this.#texts.set(name, `${this.#texts.get(name) ?? ''}${text}\n`.slice(0, longestCommand));
  }
}

function fileKey(name: string): string {
  return name.replace(/^(?:\.\/+)+/, '');
}
