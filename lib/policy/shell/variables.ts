/**
 * The variables of a shell text whose value is certain. Which of several assignments is in force at a place depends on what
 * ran before, so a name that is given two values, or a value by a program, is certain nowhere in the text. That is known
 * only at its end: the text is read again while names are found out (`changed`).
 */
import { keywords } from './programs.ts';
import type { Word } from './tree.ts';

const assignment = /^([A-Za-z_]\w*)(?:\[[^\]]*\])?(\+?)=/;
const declarers: ReadonlySet<string> = new Set(['export', 'declare', 'local', 'readonly', 'typeset']);
/** Commands whose words are names they give a value to. */
const givers: ReadonlySet<string> = new Set(['read', 'mapfile', 'readarray', 'getopts', 'unset', 'let', 'printf', 'for', 'select']);
const movers: ReadonlySet<string> = new Set(['cd', 'pushd', 'popd']);
/** Without one of these, or an assignment, a command leaves variables as they are. */
const notable: ReadonlySet<string> = new Set([...declarers, ...givers, ...movers]);

/** One for a whole text, what is nested in it included. */
export class Variables {
  /** Names that an assignment gives a value to. */
  readonly assigned: Set<string> = new Set();
  readonly #uncertain = new Set<string>();
  /** Whether a name lost its certainty since this was last asked. */
  #changed = false;

  changed(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** The value of a name; undefined when it is not certain, or would fall into several words or become a pattern. */
  value(known: ReadonlyMap<string, string>, name: string, quoted: boolean): string | undefined {
    const value = this.#uncertain.has(name) ? undefined : known.get(name);
    if (value === undefined || quoted) return value;
    return /[\s*?[\]{}]/.test(value) || this.assigned.has('IFS') ? undefined : value;
  }

  spoil(name: string): void {
    if (this.#uncertain.has(name)) return;
    this.#uncertain.add(name);
    this.#changed = true;
  }

  /** Takes a finished command's effects into account. */
  after(all: readonly Word[], known: Map<string, string>): void {
    if (!all.some(({ text }) => notable.has(text) || text.includes('='))) return;
    const first = all.findIndex(({ text }) => !keywords.has(text));
    const words = first < 0 ? [] : all.slice(first);
    const start = words.findIndex(({ text }) => !assignment.test(text));
    const leading = start < 0 ? words : words.slice(0, start);
    const rest = start < 0 ? [] : words.slice(start);
    const program = rest[0]?.text ?? '';
    const declares = rest.slice(0, 3).some(({ text }) => declarers.has(text));
    if (rest.length === 0 || declares) for (const word of [...leading, ...rest.slice(1)]) this.#assign(word, known);
    else for (const { text } of leading) this.#named(assignment.exec(text)?.[1]);
    if (rest.some(({ text }) => movers.has(text))) this.spoil('PWD');
    const giver = rest.findIndex(({ text }) => givers.has(text));
    if (giver >= 0 && giver < 4) for (const { text } of rest.slice(giver + 1)) this.#named(/^(?:-v)?([A-Za-z_]\w*)/.exec(text)?.[1], program !== 'for');
  }

  #assign({ text, dynamic }: Word, known: Map<string, string>): void {
    const found = assignment.exec(text);
    const name = found?.[1];
    if (found === null || name === undefined) return;
    const value = text.slice(found[0].length);
    const before = known.get(name);
    this.assigned.add(name);
    if (dynamic || found[2] === '+' || found[0].includes('[') || (before !== undefined && before !== value)) this.spoil(name);
    known.set(name, value);
  }

  /** A name that gets a value nobody knows here. */
  #named(name: string | undefined, counts = true): void {
    if (name === undefined) return;
    this.spoil(name);
    if (counts) this.assigned.add(name);
  }
}
