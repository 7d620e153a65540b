/**
 * What follows from what: whether the facts of one case can hold together, and whether a formula holds wherever another
 * does. Every yes is certain; a no may only mean that it was not seen.
 */
import { actionKinds } from '../../base/action.ts';
import type { Effort } from '../../base/glob-cover.ts';
import { common, contradict, hasReadings, implies, keeps, type Fact, type Range } from './fact.ts';
import { casesOf, type Formula } from './formula.ts';

/** So many steps of comparing patterns take a second or two; policies that people write take a hundredth of them. */
export function newEffort(): Effort {
  return { left: 100_000_000 };
}

/** Fields that only certain words can stand in. */
const closed: Readonly<Record<string, readonly string[]>> = { kind: actionKinds, direction: ['write', 'read', 'prompt'] };

/** Facts that hold together, and what they leave of each field. */
class Case {
  readonly facts: readonly Fact[];
  /** A field of which two facts cannot both hold. */
  readonly impossible: string | undefined;
  readonly #values = new Map<string, readonly string[]>();
  readonly #ranges = new Map<string, Range>();
  readonly #effort: Effort;

  constructor(facts: readonly Fact[], effort: Effort) {
    this.facts = facts;
    this.#effort = effort;
    this.impossible = [...new Set(facts.map(({ field }) => field))].find((field) => !hasReadings(field) && !this.#settle(field));
  }

  /** What is left of a field that has one reading; false when that is nothing. */
  #settle(field: string): boolean {
    const facts = this.facts.filter((fact) => fact.field === field);
    let range: Range | undefined;
    let values: readonly string[] | undefined = closed[field];
    for (const { positive, saying } of facts) {
      if (saying.is === 'within') {
        range = range === undefined ? saying.range : common(range, saying.range);
        if (range === undefined) return false;
      } else if (saying.is === 'one of' && positive) values ??= [...saying.values];
    }
    if (range !== undefined) this.#ranges.set(field, range);
    if (values !== undefined) {
      const left = values.filter((value) => facts.every((fact) => keeps(value, fact)));
      if (left.length === 0) return false;
      this.#values.set(field, left);
    }
    return !facts.some((fact, at) => facts.slice(at + 1).some((other) => contradict(fact, other, this.#effort)));
  }

  holds(formula: Formula): boolean {
    if (formula.is === 'fact') return this.#follows(formula);
    return formula.is === 'all' ? formula.parts.every((part) => this.holds(part)) : formula.parts.some((part) => this.holds(part));
  }

  /** From one fact, or because what is left of the field leaves no other way. */
  #follows(wanted: Fact): boolean {
    if (this.facts.some((fact) => implies(fact, wanted, this.#effort))) return true;
    const values = this.#values.get(wanted.field);
    if (values !== undefined && wanted.saying.is !== 'exists' && values.every((value) => implies({ is: 'fact', field: wanted.field, positive: true, saying: { is: 'one of', values: new Set([value]) } }, wanted, this.#effort))) return true;
    const range = this.#ranges.get(wanted.field);
    return range !== undefined && implies({ is: 'fact', field: wanted.field, positive: true, saying: { is: 'within', range } }, wanted, this.#effort);
  }
}

/** A formula as the cases in which it can hold; undefined when they are too many. */
export type Known = readonly Case[] | undefined;

/** The cases of a formula; those that contradict themselves are left out. */
export function known(formula: Formula, effort: Effort): Known {
  return casesOf(formula)?.map((facts) => new Case(facts, effort)).filter(({ impossible }) => impossible === undefined);
}

/** Whether `wanted` is certain to hold wherever the known formula does. */
export function alwaysHolds(cases: Known, wanted: Formula): boolean {
  return cases?.every((one) => one.holds(wanted)) === true;
}

/** Whether the formula can never hold, and a field that shows it; undefined where it can, or where that is not known. */
export function impossibility(formula: Formula, effort: Effort): string | undefined {
  const cases = casesOf(formula)?.map((facts) => new Case(facts, effort).impossible);
  return cases?.every((field) => field !== undefined) === true ? cases[0] ?? undefined : undefined;
}
