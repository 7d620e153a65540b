/**
 * What one setting is. A setting is one row of a table (`sections/`): where it may be written, what is accepted, what
 * applies when nobody writes it, and what a project file may do to it. The rows are the only source for reading, checking,
 * explaining and documenting the configuration.
 */
import type { YamlNode } from '../formats/yaml/node.ts';

/** One value that cannot be used. */
export interface Mistake {
  /** What was written, as a predicate and shown safely: `is "abc"`, `is a list`, `has no name`. */
  readonly found: string;
  /** What would be accepted, as a noun phrase. */
  readonly accepts: string;
  /** Where inside the setting: `[0].timeout`. */
  readonly within?: string;
  /** The node it stands at, when it came from a file. */
  readonly node?: YamlNode;
  /** A secret stands there: the line is not shown. */
  readonly hidden?: true;
}

/** Takes note of a mistake. */
export type Refuse = (mistake: Mistake) => undefined;

/** A sort of value: how it is read from a text (environment, flag) and from a node of a file. */
export interface Kind<T> {
  /** What is accepted, as a noun phrase: `true or false`. */
  readonly accepts: string;
  /** The value, or undefined after a mistake was noted. */
  fromText(text: string, refuse: Refuse): T | undefined;
  /** The value, or undefined after a mistake was noted. */
  fromNode(node: YamlNode, refuse: Refuse): T | undefined;
}

/** How a project file may change a setting of which it may only tighten the value (T in docs/config.md). */
export type Tighten<T> = Bounded<T> | Combined<T>;

/** A project that asks for less than the default is refused; otherwise the layers have their usual order. */
interface Bounded<T> {
  /** What a project may do, in words: `only switch it on`. */
  readonly words: string;
  /** Whether a project that asks for `asked` would loosen `given`. */
  looser(asked: T, given: T): boolean;
}

/** What a project asks for counts beside what a stronger layer says. */
interface Combined<T> {
  readonly words: string;
  /** What applies when both have spoken; undefined when nothing satisfies both. */
  combine(asked: T, given: T): T | undefined;
}

/** An environment variable that gives a setting. */
export interface Variable {
  readonly name: string;
  /** The variable says the opposite of the setting (`LOKI_AUDIT_DISABLED`). */
  readonly inverted?: true;
  /** Counts only when it is true; `false` is as good as unset. */
  readonly onlyTrue?: true;
  /** Other programs read this variable too, so a value we cannot use is a warning and the variable is left aside. */
  readonly shared?: true;
}

/** One row: everything there is to know about a setting. */
export interface Setting<T> {
  /** Path in a configuration file, `enterprise.audit.level`. */
  readonly key: string;
  /** Variables that give it, strongest first. */
  readonly env?: readonly Variable[];
  /** Command-line flag that gives it, `--port`. */
  readonly flag?: string;
  readonly kind: Kind<T>;
  readonly default: T;
  /** The default in words, where the value alone would not say it. */
  readonly defaultWords?: string;
  /** How a value is shown, where its own text would mislead (milliseconds). */
  show?(value: T): string;
  /** What a project file may do: anything when left out, nothing (`never`, U in docs/config.md), or only tighten (T). */
  readonly project?: 'never' | Tighten<T>;
  /** The value is never shown. */
  readonly secret?: true;
  /** A value that cannot be used is a warning and counts as not said: what only observes must never stop an agent. */
  readonly observes?: true;
  /** Read from the environment only; in a file the key is refused. */
  readonly environmentOnly?: true;
  /** One line for the manual. */
  readonly meaning: string;
}

/** The rows behind a typed part of the configuration: exactly one for each of its fields. */
export type Section<C> = { readonly [Field in keyof C]: Setting<C[Field]> };
