/**
 * The one bench harness. A bench measures something and its floor in turn, A B A B, several rounds after a warm-up, so that
 * a machine whose speed drifts does not favour either; medians are compared, and the ratio is what is promised.
 */

/** One thing that is timed. Answers with how much was done. */
export interface Subject {
  readonly name: string;
  /** Does it once and returns the count of units done; time is taken around it. What is no time around it, it measures itself. */
  run(): Done | Promise<Done>;
}

/** Units, or microseconds a unit. */
export type Done = number | { readonly microseconds: number };

/** A promise: what is measured, what it is held against, and how far it may be off. */
export interface Bench {
  readonly name: string;
  /** What one unit is: `entries`, `evaluations`, `runs`. */
  readonly unit: string;
  readonly rounds: number;
  /** Makes what is measured, and takes it away again. */
  prepare(): Promise<{ readonly subject: Subject; readonly floor: Subject; readonly beside?: Pair; readonly clean: () => Promise<void> | void }>;
  /** The promise over the medians: seconds a unit of the subject and of the floor. */
  readonly promise: Promised;
}

/** Two more, measured in the same rounds and promised nothing of: what the machine itself gives at that moment. */
export interface Pair {
  readonly subject: Subject;
  readonly floor: Subject;
}

/** How the two are compared. */
export type Promised =
  | { readonly kind: 'at least'; readonly share: number }
  | { readonly kind: 'at most'; readonly times: number }
  | { readonly kind: 'at most plus'; readonly milliseconds: number };

export interface BenchResult {
  readonly name: string;
  readonly unit: string;
  readonly subject: Figure;
  readonly floor: Figure;
  /** Subject's speed over the floor's for `at least`; its time over the floor's else. */
  readonly ratio: number;
  readonly promise: string;
  readonly kept: boolean;
  /** Of the pair beside it: the subject's speed over the floor's. */
  readonly beside?: { readonly subject: Figure; readonly floor: Figure; readonly ratio: number };
}

export interface Figure {
  readonly name: string;
  /** Microseconds a unit: smallest, median, largest of the rounds. */
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export async function runBench(bench: Bench): Promise<BenchResult> {
  const { subject, floor, beside, clean } = await bench.prepare();
  const subjects = [subject, floor, ...(beside === undefined ? [] : [beside.subject, beside.floor])];
  try {
    for (const each of subjects) await time(each);
    const times = subjects.map((): number[] => []);
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const [n, each] of subjects.entries()) times[n]?.push(await time(each));
    }
    const [first, second, third, fourth] = subjects.map(({ name }, n) => figure(name, times[n] ?? []));
    if (first === undefined || second === undefined) throw new Error('nothing was measured');
    const result = judge(bench, first, second);
    return third === undefined || fourth === undefined ? result : { ...result, beside: { subject: third, floor: fourth, ratio: fourth.median / third.median } };
  } finally {
    await clean();
  }
}

async function time(subject: Subject): Promise<number> {
  const start = process.hrtime.bigint();
  const done = await subject.run();
  return typeof done === 'number' ? Number(process.hrtime.bigint() - start) / 1000 / done : done.microseconds;
}

function figure(name: string, times: readonly number[]): Figure {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return { name, min: at(0), median: at(0.5), max: at(1) };
}

function judge(bench: Bench, subject: Figure, floor: Figure): BenchResult {
  const common = { name: bench.name, unit: bench.unit, subject, floor };
  const { promise } = bench;
  const times = subject.median / floor.median;
  if (promise.kind === 'at least') return { ...common, ratio: 1 / times, promise: `at least ${promise.share} of the floor`, kept: 1 / times >= promise.share };
  if (promise.kind === 'at most') return { ...common, ratio: times, promise: `at most ${promise.times} times the floor`, kept: times <= promise.times };
  const plus = (subject.median - floor.median) / 1000;
  return { ...common, ratio: times, promise: `at most the floor plus ${promise.milliseconds} ms (measured: plus ${plus.toFixed(1)} ms)`, kept: plus <= promise.milliseconds };
}
