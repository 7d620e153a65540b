/**
 * Who says what: for each row of `variables.ts` the strongest voice that can be used, and what is wrong with the others. Strongest first:
 * `over` (LOKI_* variables, options of a program), OpenTelemetry's variables of the environment, `under` (configuration files), the default. A
 * text that cannot be used is a problem in words and is passed over, as the specification asks for.
 */
import type { Problem } from '../errors.ts';
import { quoted } from '../base/quoted.ts';
import type { Signal } from './batch.ts';
import type { EffectiveValue } from './settings.ts';
import { nameFor, variables, type Variable, type VariableValues } from './variables.ts';

export type Key = keyof VariableValues;
export type VoiceName = 'over' | 'environment' | 'under';

/** Something said, and where: `LOKI_OTEL_ENDPOINT`, `/etc/loki/config.yaml:3`, `options.sampler`. */
export interface Said<T> {
  readonly value: T;
  readonly from: string;
}

/** What one voice beside the environment says: values, or texts of the form that the variables have. */
export type Voice = { readonly [K in Key]?: Said<Exclude<VariableValues[K], undefined> | string> };

export interface Voices {
  readonly over?: Voice;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly under?: Voice;
}

/** The value that counts, and who said it; nobody, for a default. */
export interface Found<T> {
  readonly value: T;
  readonly voice: VoiceName | undefined;
  readonly from: string;
  /** The variable was that of a single signal. */
  readonly isForSignal: boolean;
}

/** Longer texts are not looked at. */
const longestText = 16_384;

interface Candidate {
  readonly voice: VoiceName;
  readonly from: string;
  readonly given: unknown;
  readonly isForSignal: boolean;
}

/** Reads what the voices say, and keeps account of it. */
export class Listener {
  readonly #voices: Voices;
  /** By their words, each once. */
  readonly #problems: Map<string, Problem> = new Map();
  /** By what and where it was said. */
  readonly #effective: Map<string, EffectiveValue> = new Map();

  constructor(voices: Voices) {
    this.#voices = voices;
  }

  get problems(): readonly Problem[] { return [...this.#problems.values()]; }
  get effective(): readonly EffectiveValue[] { return [...this.#effective.values()]; }

  note(message: string, hint?: string): void {
    this.#problems.set(message, { message, ...(hint === undefined ? {} : { hint }) });
  }

  /** What counts for a row, of one signal where it has variables for each. Voices for which `hears` is false are passed over. */
  read<K extends Key>(key: K, signal?: Signal, hears: (voice: VoiceName, from: string) => boolean = () => true): Found<VariableValues[K]> {
    const variable: Variable<VariableValues[K]> = variables[key];
    const all = this.#candidates(key, variable, signal);
    for (const [at, candidate] of all.entries()) {
      const value = this.#valueOf(variable, candidate);
      if (value === undefined || !hears(candidate.voice, candidate.from)) continue;
      this.#tell(variable, candidate, value, all.slice(at + 1));
      return { value, voice: candidate.voice, from: candidate.from, isForSignal: candidate.isForSignal };
    }
    return { value: variable.default, voice: undefined, from: 'default', isForSignal: false };
  }

  /** What the environment alone says of a row, whether that counts or not. */
  environmentSays<K extends Key>(key: K, signal: Signal): Said<Exclude<VariableValues[K], undefined>> | undefined {
    const variable: Variable<VariableValues[K]> = variables[key];
    for (const candidate of this.#candidates(key, variable, signal)) {
      const value = candidate.voice === 'environment' ? this.#valueOf(variable, candidate) : undefined;
      if (value !== undefined) return { value, from: candidate.from };
    }
    return undefined;
  }

  /** Who says anything of a row, strongest first. */
  #candidates(key: Key, variable: Pick<Variable<unknown>, 'name' | 'signals'>, signal: Signal | undefined): readonly Candidate[] {
    const { over, env, under } = this.#voices;
    const said = (voice: 'over' | 'under', by: Voice | undefined): readonly Candidate[] => {
      const one = by?.[key];
      return one === undefined ? [] : [{ voice, from: one.from, given: one.value, isForSignal: false }];
    };
    const named = (name: string, isForSignal: boolean): readonly Candidate[] => {
      const given = env[name];
      const text = given === undefined ? '' : given.slice(0, longestText + 1).trim();
      return text === '' ? [] : [{ voice: 'environment', from: name, given: text, isForSignal }];
    };
    const own = signal !== undefined && variable.signals?.includes(signal) === true ? named(nameFor(variable, signal), true) : [];
    return [...said('over', over), ...own, ...named(variable.name, false), ...said('under', under)];
  }

  #valueOf<T>({ sort }: Variable<T>, { from, given }: Candidate): Exclude<T, undefined> | undefined {
    // A value that is no text was checked by whoever said it; its type is tied to the row by `Voice`.
    if (typeof given !== 'string') return given as Exclude<T, undefined>;
    const value = given.length > longestText ? undefined : sort.read(given);
    if (value !== undefined) return value;
    const found = given.length > longestText ? `has more than ${longestText} characters` : sort.found?.(given) ?? `is ${quoted(given)}`;
    this.note(`${from} ${found}, accepted is ${sort.accepts}; it is left aside`);
    return undefined;
  }

  #tell<T>({ sort, name }: Variable<T>, winner: Candidate, value: Exclude<T, undefined>, weaker: readonly Candidate[]): void {
    const passedOver = weaker.filter(({ voice }) => voice !== winner.voice).map(({ from }) => from);
    const named = wordsFor(winner.voice === 'environment' ? winner.from : name);
    this.#effective.set(`${named} ${winner.from}`, {
      name: named, value: sort.show?.(value) ?? shown(value), from: winner.from,
      ...(passedOver.length === 0 ? {} : { passedOver }),
    });
  }
}

/** `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` -> `traces endpoint`. */
function wordsFor(name: string): string {
  return name.replace(/^OTEL_(?:EXPORTER_OTLP_)?/, '').toLowerCase().replaceAll('_', ' ');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') : JSON.stringify(value);
}
