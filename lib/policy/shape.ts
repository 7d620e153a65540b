/**
 * From a parsed file to rules. Everything a person could have mistyped is a problem with its place and, where one is near,
 * the word they meant; all of them are collected. A file with any problem yields no rule at all.
 */
import { isPlainObject } from '../base/json.ts';
import { didYouMean } from '../base/suggest.ts';
import type { Problem } from '../errors.ts';
import { actionKinds } from '../base/action.ts';
import type { Decision, EnforcementPoint, RuleAction } from '../base/action.ts';
import { excerptAt } from '../formats/excerpt.ts';
import type { YamlNode } from '../formats/yaml/node.ts';
import { valueOf } from '../formats/yaml/parse.ts';
import { kindsOf } from './kinds.ts';
import { ExpressionMistake, parseExpression } from './expression.ts';
import { enforcementPoints, fieldsOfPoint } from './fields.ts';
import { compileUserPattern } from './patterns.ts';
import type { ApprovalGate, BudgetPeriod, BudgetRule, BudgetSubject, DataRule, Expression, Layer, OnExceed, PolicyTest, Rule, UserPattern } from './rules.ts';

/** Ceilings of one file. */
export const policyLimits = { rules: 1000, tests: 2000, list: 1000, text: 1000, problems: 100 } as const;

/** Any of these makes a rule of the resource point a budget. */
const budgetKeys = ['max_tokens', 'max_usd', 'per', 'period', 'alerts', 'on_exceed', 'providers'] as const;

const ruleKeys: Readonly<Record<EnforcementPoint, readonly string[]>> = {
  pre_execution: ['name', 'rule', 'when', 'action', 'mode'],
  pre_deployment: ['name', 'gates', 'rule', 'when', 'action', 'mode'],
  resource: ['name', ...budgetKeys, 'rule', 'when', 'action', 'mode'],
  data: ['name', 'type', 'patterns', 'min_confidence', 'rule', 'when', 'action', 'mode'],
};
/** Bounds of an approval's time-out: three seconds, and the 30 days an approval may stay open. */
const [shortestMinutes, longestMinutes] = [0.05, 43_200];

const gateKeys = ['name', 'phase', 'approvers', 'required', 'timeout_minutes', 'webhook', 'auto_approve_on_timeout'];
const testKeys = ['name', 'point', 'context', 'expect', 'by'];
const ruleActions: readonly RuleAction[] = ['deny', 'require_approval', 'warn', 'allow'];
const exceedActions: readonly OnExceed[] = ['shutdown', 'require_approval', 'warn'];
const budgetSubjects: readonly BudgetSubject[] = ['project', 'agent', 'session'];
const budgetPeriods: readonly BudgetPeriod[] = ['session', 'day', 'month', 'total'];
/** A thousand million dollars: what can still be counted exactly in millionths. */
const mostUsd = 1e9;
const decisions: readonly Decision[] = ['ALLOW', 'DENY', 'REQUIRE_APPROVAL'];
const modes = ['enforce', 'monitor'] as const;
/** At the top of a file. `strict` enforces, and denies commands that cannot be understood. */
const fileModes = [...modes, 'strict'] as const;
const dataTypes = ['secret_detection', 'pii_scanning'] as const;
const confidences = ['low', 'medium', 'high'] as const;

/** What a file's tree comes to. */
export interface Shaped {
  readonly strict: boolean;
  readonly rules: readonly Rule[];
  readonly approvalGates: readonly ApprovalGate[];
  readonly tests: readonly PolicyTest[];
  readonly problems: readonly Problem[];
}

/** The rules of a parsed file, or its problems, sorted by place. */
export function shapePolicy(root: YamlNode, text: string, filename: string, layer: Layer): Shaped {
  const shaper = new Shaper(text, filename, layer);
  const shaped = shaper.file(root);
  const problems = shaper.problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return problems.length > 0 ? { strict: false, rules: [], approvalGates: [], tests: [], problems } : { ...shaped, problems };
}

type Members = ReadonlyMap<string, YamlNode>;
interface Place { readonly line: number; readonly column: number }

class Shaper {
  readonly problems: Problem[] = [];
  readonly #text: string;
  readonly #filename: string;
  readonly #layer: Layer;
  readonly #ruleNames = new Map<string, Place>();
  #monitor = false;
  #rules = 0;

  constructor(text: string, filename: string, layer: Layer) {
    this.#text = text;
    this.#filename = filename;
    this.#layer = layer;
  }

  file(root: YamlNode): Omit<Shaped, 'problems'> {
    const members = this.#members(root, 'the policy file', ['version', 'mode', 'policies', 'tests']);
    this.#version(members.get('version'), root);
    const mode = this.#word(members.get('mode'), 'mode', fileModes);
    this.#monitor = mode === 'monitor';
    const policies = members.get('policies');
    if (policies === undefined) this.#report(root, 'policies is missing', 'Add a policies: section; docs/policy.md shows one');
    const sections = policies === undefined ? new Map<string, YamlNode>()
      : this.#members(policies, 'policies', [...enforcementPoints, 'approval_gates']);
    const rules = enforcementPoints.flatMap((point) => this.#list(sections.get(point), point, policyLimits.rules).flatMap((node) => this.#rule(node, point)));
    const approvalGates = this.#list(sections.get('approval_gates'), 'approval_gates', policyLimits.rules).flatMap((node) => this.#gate(node));
    const tests = this.#list(members.get('tests'), 'tests', policyLimits.tests).flatMap((node) => this.#test(node));
    return { strict: mode === 'strict', rules, approvalGates, tests };
  }

  #report(place: Place, message: string, hint?: string): void {
    if (this.problems.length >= policyLimits.problems) return;
    this.problems.push({
      message, file: this.#filename, line: place.line, column: place.column,
      excerpt: excerptAt(this.#text, place.line, place.column), ...(hint === undefined ? {} : { hint }),
    });
  }

  #place(node: Place): string {
    return `${this.#filename}:${node.line}:${node.column}`;
  }

  #version(node: YamlNode | undefined, root: YamlNode): void {
    if (node === undefined) this.#report(root, 'version is missing', 'Begin the file with: version: 1');
    else if (node.kind !== 'scalar' || node.value !== 1) this.#report(node, `version ${shown(node)} is not known; this program reads version 1`);
  }

  /** Members of a mapping; anything but a mapping, and every unknown key, is a problem. */
  #members(node: YamlNode, what: string, known: readonly string[]): Members {
    const members = new Map<string, YamlNode>();
    if (node.kind !== 'map') {
      this.#report(node, `${what} must be a mapping, not ${kindOf(node)}`);
      return members;
    }
    for (const { key, value } of node.entries) {
      const name = key.text;
      if (known.includes(name)) members.set(name, value);
      else this.#unknown(key, what, known);
    }
    return members;
  }

  #unknown(key: Place & { readonly text: string }, what: string, known: readonly string[]): void {
    this.#report(key, `"${key.text}" is not a key of ${what}${didYouMean(key.text, known)}`, `Known: ${known.join(', ')}`);
  }

  #list(node: YamlNode | undefined, what: string, most: number): readonly YamlNode[] {
    if (node === undefined) return [];
    if (node.kind !== 'seq') {
      this.#report(node, `${what} must be a list, not ${kindOf(node)}`);
      return [];
    }
    if (node.items.length > most) {
      this.#report(node, `${what} has ${node.items.length} entries; at most ${most} are read`);
      return [];
    }
    return node.items;
  }

  #string(node: YamlNode | undefined, what: string): string | undefined {
    if (node === undefined) return undefined;
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value === '') {
      this.#report(node, `${what} must be text, not ${kindOf(node)}`, 'Put quotes around it');
      return undefined;
    }
    if (node.value.length > policyLimits.text) this.#report(node, `${what} is longer than ${policyLimits.text} characters`);
    return node.value;
  }

  #strings(node: YamlNode | undefined, what: string): readonly string[] | undefined {
    if (node === undefined) return undefined;
    const items = this.#list(node, what, policyLimits.list).flatMap((item) => this.#string(item, `an entry of ${what}`) ?? []);
    if (node.kind === 'seq' && node.items.length === 0) this.#report(node, `${what} is empty`);
    return items;
  }

  #word<Word extends string>(node: YamlNode | undefined, what: string, known: readonly Word[]): Word | undefined {
    const text = this.#string(node, what);
    if (text === undefined || node === undefined) return undefined;
    const found = known.find((word) => word === text);
    if (found === undefined) this.#report(node, `"${text}" is not a value of ${what}${didYouMean(text, known)}`, `Known: ${known.join(', ')}`);
    return found;
  }

  #whole(node: YamlNode | undefined, what: string, least: number, most: number): number | undefined {
    if (node === undefined) return undefined;
    const value = node.kind === 'scalar' ? node.value : undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    this.#report(node, `${what} must be a whole number from ${least} to ${most}, not ${shown(node)}`);
    return undefined;
  }

  /** Minutes may be parts of one: an unattended run need not wait a whole minute for nobody. */
  #minutes(node: YamlNode | undefined): number | undefined {
    if (node === undefined) return undefined;
    const value = node.kind === 'scalar' ? node.value : undefined;
    if (typeof value === 'number' && value >= shortestMinutes && value <= longestMinutes) return value;
    this.#report(node, `timeout_minutes must be a number from ${shortestMinutes} to ${longestMinutes}, not ${shown(node)}`);
    return undefined;
  }

  #expression(node: YamlNode | undefined, what: string, point: EnforcementPoint): Expression | undefined {
    if (node === undefined) return undefined;
    if (node.kind !== 'scalar' || typeof node.value !== 'string') {
      this.#report(node, `${what} must be an expression in quotes, not ${kindOf(node)}`);
      return undefined;
    }
    try {
      return { text: node.value, tree: parseExpression(node.value, fieldsOfPoint[point]) };
    } catch (error) {
      if (!(error instanceof ExpressionMistake)) throw error;
      this.#report(this.#inside(node, node.value, error.at), `${what}: ${error.message}`);
      return undefined;
    }
  }

  /** The place of a character of a scalar, exact where the scalar stands in the file as it reads. */
  #inside(node: YamlNode & { kind: 'scalar' }, value: string, at: number): Place {
    const line = this.#text.split('\n', node.line)[node.line - 1] ?? '';
    const quote = node.style === 'single' || node.style === 'double' ? 1 : 0;
    const written = line.slice(node.column - 1 + quote, node.column - 1 + quote + value.length);
    return written === value ? { line: node.line, column: node.column + quote + at } : node;
  }

  #named(members: Members, node: YamlNode, what: string): string | undefined {
    const name = members.get('name');
    if (name === undefined) this.#report(node, `${what} has no name`);
    return this.#string(name, 'name');
  }

  #rule(node: YamlNode, point: EnforcementPoint): readonly Rule[] {
    this.#rules += 1;
    if (this.#rules === policyLimits.rules + 1) this.#report(node, `the file has more than ${policyLimits.rules} rules`);
    const before = this.problems.length;
    const members = this.#members(node, `a ${point} rule`, ruleKeys[point]);
    const name = this.#named(members, node, `a ${point} rule`);
    if (name !== undefined) this.#unique(name, node);
    const when = this.#expression(members.get('when'), 'when', point);
    const rule = this.#expression(members.get('rule'), 'rule', point);
    const action = this.#word(members.get('action'), 'action', ruleActions);
    const mode = this.#word(members.get('mode'), 'mode', modes);
    const kinds = point === 'pre_execution' ? kindsOf(when, rule) : [];
    const base = {
      name: name ?? '', point, kinds, place: this.#place(node), line: node.line, column: node.column, layer: this.#layer,
      action: action ?? 'deny', monitor: mode === undefined ? this.#monitor : mode === 'monitor',
      ...(when === undefined ? {} : { when }), ...(rule === undefined ? {} : { rule }),
    } as const;
    const built = this.#specific(members, node, base);
    if (built !== undefined && built.is !== 'budget' && !members.has('action')) this.#report(node, `the rule ${quotedName(name)} has no action`, `Add one of: ${ruleActions.join(', ')}`);
    if (point === 'pre_execution' && kinds.length === 0) this.#unreachable(members, node, when, rule);
    return built === undefined || this.problems.length > before ? [] : [built];
  }

  #unique(name: string, node: YamlNode): void {
    const first = this.#ruleNames.get(name);
    if (first === undefined) this.#ruleNames.set(name, node);
    else this.#report(node, `the name "${name}" is already used at line ${first.line}`);
    if (name.startsWith('builtin:')) this.#report(node, 'names that begin with "builtin:" belong to the built-in rules');
  }

  /** A rule of a kind of its own where the point's special keys are present, else one of conditions. */
  #specific(members: Members, node: YamlNode, base: Omit<Rule, 'is'>): Rule | undefined {
    if (base.point === 'pre_deployment' && members.has('gates')) {
      return { ...base, is: 'gates', gates: this.#strings(members.get('gates'), 'gates') ?? [] };
    }
    if (base.point === 'resource' && budgetKeys.some((key) => members.has(key))) {
      return this.#budget(members, node, base);
    }
    if (base.point === 'data' && (members.has('type') || members.has('patterns') || members.has('min_confidence'))) return this.#data(members, node, base);
    if (!members.has('rule') && !members.has('when')) {
      const also = { pre_execution: '', pre_deployment: ', gates', resource: ', max_tokens, max_usd', data: ', type, patterns' }[base.point];
      this.#report(node, `the rule ${quotedName(base.name)} says nothing to check`, `Add one of: rule, when${also}`);
      return undefined;
    }
    return { ...base, is: 'condition' };
  }

  #budget(members: Members, node: YamlNode, base: Omit<Rule, 'is'>): BudgetRule {
    if (!members.has('max_tokens') && !members.has('max_usd')) this.#report(node, `the budget ${quotedName(base.name)} has neither max_tokens nor max_usd`);
    if (!members.has('on_exceed')) this.#report(node, `the budget ${quotedName(base.name)} has no on_exceed`);
    for (const key of ['rule', 'action']) {
      const other = members.get(key);
      if (other !== undefined) this.#report(other, `a budget has no ${key}; its limits and on_exceed say it`);
    }
    const onExceed = this.#word(members.get('on_exceed'), 'on_exceed', exceedActions) ?? 'shutdown';
    const providers = this.#strings(members.get('providers'), 'providers');
    const alerts = this.#list(members.get('alerts'), 'alerts', 100).flatMap((item) => this.#whole(item, 'an alert', 1, 100) ?? []);
    const maxTokens = this.#whole(members.get('max_tokens'), 'max_tokens', 1, Number.MAX_SAFE_INTEGER);
    const maxMicroUsd = this.#money(members.get('max_usd'), 'max_usd');
    return {
      ...base, is: 'budget', action: onExceed === 'shutdown' ? 'deny' : onExceed, onExceed, ...this.#span(members),
      ...(maxTokens === undefined ? {} : { maxTokens }), ...(maxMicroUsd === undefined ? {} : { maxMicroUsd }),
      alerts: [...new Set(alerts)].sort((a, b) => a - b), ...(providers === undefined ? {} : { providers }),
    };
  }

  /** Whose consumption, over what time. A session's has no time but the session. */
  #span(members: Members): Pick<BudgetRule, 'per' | 'period'> {
    const per = this.#word(members.get('per'), 'per', budgetSubjects) ?? 'project';
    const period = this.#word(members.get('period'), 'period', budgetPeriods) ?? 'session';
    const node = members.get('period');
    if (per === 'session' && period !== 'session' && node !== undefined) this.#report(node, `a budget per session has no period ${period}`, `Leave period out, or say per: project to count a ${period === 'total' ? 'project as a whole' : `project's ${period}`}`);
    return { per, period };
  }

  /** An amount in dollars as whole millionths. */
  #money(node: YamlNode | undefined, what: string): number | undefined {
    if (node === undefined) return undefined;
    const value = node.kind === 'scalar' ? node.value : undefined;
    if (typeof value === 'number' && value >= 1e-6 && value <= mostUsd && Math.round(value * 1e6) / 1e6 === value) return Math.round(value * 1e6);
    this.#report(node, `${what} must be an amount from 0.000001 to ${mostUsd} US dollars with at most six decimals, not ${shown(node)}`);
    return undefined;
  }

  #data(members: Members, node: YamlNode, base: Omit<Rule, 'is'>): DataRule {
    const type = this.#word(members.get('type'), 'type', dataTypes);
    const minConfidence = this.#word(members.get('min_confidence'), 'min_confidence', confidences) ?? (type === 'pii_scanning' ? 'medium' : 'low');
    if (members.has('min_confidence') && !members.has('type')) this.#report(node, `the rule ${quotedName(base.name)} has min_confidence and no type`, 'Patterns of your own are always sure; add type: secret_detection or pii_scanning');
    const patterns = this.#list(members.get('patterns'), 'patterns', 100).flatMap((node): UserPattern[] => {
      const source = this.#string(node, 'a pattern');
      if (source === undefined) return [];
      const compiled = compileUserPattern(source);
      if (typeof compiled !== 'string') return [compiled];
      this.#report(node, `the pattern ${JSON.stringify(source)} ${compiled}`);
      return [];
    });
    return { ...base, is: 'data', patterns, minConfidence, ...(type === undefined ? {} : { type }) };
  }

  /** A rule that no action can ever meet is a mistake: its author believes to be protected. */
  #unreachable(members: Members, node: YamlNode, when: Expression | undefined, rule: Expression | undefined): void {
    if ((members.has('when') && when === undefined) || (members.has('rule') && rule === undefined)) return;
    this.#report(node, 'no kind of action can meet this rule: the fields and kinds it names exclude each other', 'Write one rule for each kind of action');
  }

  #gate(node: YamlNode): readonly ApprovalGate[] {
    const members = this.#members(node, 'an approval gate', gateKeys);
    const name = this.#named(members, node, 'an approval gate');
    if (name !== undefined) this.#unique(name, node);
    if (!members.has('phase')) this.#report(node, `the approval gate ${quotedName(name)} has no phase`);
    const phase = this.#string(members.get('phase'), 'phase');
    const listed = members.get('approvers');
    const approvers = this.#strings(listed, 'approvers') ?? [];
    for (const item of listed?.kind === 'seq' ? listed.items : []) {
      if (item.kind === 'scalar' && typeof item.value === 'string' && !/^(?:role|user|token):\S+$/.test(item.value)) this.#report(item, `the approver "${item.value}" must read role:NAME, user:NAME or token:NAME`);
    }
    const auto = members.get('auto_approve_on_timeout');
    const autoValue = auto === undefined ? false : this.#boolean(auto, 'auto_approve_on_timeout');
    if (auto !== undefined && this.#layer !== 'organisation') this.#report(auto, 'auto_approve_on_timeout is only for an organisation\'s policy');
    const webhook = this.#string(members.get('webhook'), 'webhook');
    if (webhook !== undefined && !isWebAddress(webhook)) this.#report(members.get('webhook') ?? node, 'webhook must be an http or https URL without a user name');
    const required = this.#whole(members.get('required'), 'required', 1, 100) ?? 1;
    const named = approvers.filter((approver) => !approver.startsWith('role:')).length;
    if (approvers.length > 0 && named === approvers.length && required > named) this.#report(members.get('required') ?? node, `required is ${required}, and only ${named} can approve`);
    return [{
      name: name ?? '', phase: phase ?? '', approvers, required, autoApproveOnTimeout: autoValue,
      timeoutMinutes: this.#minutes(members.get('timeout_minutes')) ?? 30,
      place: this.#place(node), layer: this.#layer, ...(webhook === undefined ? {} : { webhook }),
    }];
  }

  #boolean(node: YamlNode, what: string): boolean {
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
    this.#report(node, `${what} must be true or false, not ${shown(node)}`);
    return false;
  }

  #test(node: YamlNode): readonly PolicyTest[] {
    const members = this.#members(node, 'a test', testKeys);
    const name = this.#named(members, node, 'a test');
    for (const key of ['point', 'context', 'expect']) if (!members.has(key)) this.#report(node, `the test ${quotedName(name)} has no ${key}`);
    const point = this.#word(members.get('point'), 'point', enforcementPoints);
    const expect = this.#word(members.get('expect'), 'expect', decisions);
    const by = this.#string(members.get('by'), 'by');
    if (by !== undefined && !by.startsWith('builtin:') && !this.#ruleNames.has(by)) {
      this.#report(members.get('by') ?? node, `there is no rule "${by}"${didYouMean(by, this.#ruleNames.keys())}`);
    }
    const context = members.get('context');
    if (point !== undefined && context !== undefined) this.#context(context, point);
    const value: unknown = context === undefined ? {} : valueOf(context);
    if (point === undefined || expect === undefined || !isPlainObject(value)) return [];
    return [{ name: name ?? '', point, context: value, expect, place: this.#place(node), line: node.line, column: node.column, ...(by === undefined ? {} : { by }) }];
  }

  #context(node: YamlNode, point: EnforcementPoint): void {
    if (node.kind !== 'map') return void this.#members(node, `a ${point} context`, []);
    const known = fieldsOfPoint[point];
    for (const { key, value } of node.entries) {
      if (!known.has(key.text)) this.#unknown(key, `a ${point} context`, [...known.keys()]);
      else if (key.text === 'kind' && point === 'pre_execution') this.#word(value, 'kind', actionKinds);
    }
  }
}

function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '';
}

function quotedName(name: string | undefined): string {
  return name === undefined || name === '' ? 'here' : `"${name}"`;
}

function kindOf(node: YamlNode): string {
  if (node.kind === 'map') return 'a mapping';
  if (node.kind === 'seq') return 'a list';
  if (node.value === null) return 'nothing';
  return node.value === '' ? 'an empty text' : `the ${typeof node.value} ${shown(node)}`;
}

function shown(node: YamlNode): string {
  return node.kind === 'scalar' ? JSON.stringify(node.value).slice(0, 80) : kindOf(node);
}
