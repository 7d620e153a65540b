/**
 * Property tests without a library: a seeded generator, many values, and on failure the seed that makes the same value
 * again. `LOKI_SEED=<number>` replays that one case.
 */

/** Deterministic choices from a seed (mulberry32). */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to but not 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of a list that is not empty. */
  pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const choice = choices[this.integer(0, choices.length - 1)];
    if (choice === undefined) throw new RangeError('Cannot pick: the list is empty');
    return choice;
  }

  /** Between `least` and `most` values. */
  list<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: this.integer(least, most) }, make);
  }
}

export interface PropertyOptions<T> {
  /** How many values to try. */
  readonly runs: number;
  /** The seed of the first value; the next ones count up. The environment variable LOKI_SEED wins, with one run. */
  readonly seed?: number;
  /** How a value is shown when it fails. */
  readonly show?: (value: T) => string;
}

/** Makes values and checks each; throws with the seed and the value of the first that fails. */
export function forAll<T>(options: PropertyOptions<T>, make: (draw: Draw) => T, check: (value: T) => void): void {
  const replay = process.env['LOKI_SEED'];
  const first = replay === undefined ? (options.seed ?? Math.floor(Math.random() * 0x1_0000_0000)) : Number(replay);
  const runs = replay === undefined ? options.runs : 1;
  const show = options.show ?? ((value: T) => JSON.stringify(value));
  for (let run = 0; run < runs; run += 1) {
    const seed = (first + run) >>> 0;
    const value = make(new Draw(seed));
    try {
      check(value);
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Fails for seed ${seed} (replay with LOKI_SEED=${seed}): ${show(value).slice(0, 2000)}\n${words}`, { cause });
    }
  }
}
