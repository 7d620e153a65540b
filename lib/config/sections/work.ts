/**
 * Settings of governed runs (`runs`), of where work may be sent (`residency`), and of what it costs (`prices`). These are
 * what a project file is for; even so it may only narrow residency, and the commands it names run only once a person has
 * confirmed them (`commands.ts`).
 */
import { formatDuration } from '../../base/duration.ts';
import { amount, boolean, command, duration, integer, listOf, mapOf, name, oneOf, record, text } from '../kinds.ts';
import type { Kind, Section, Tighten } from '../setting.ts';

/** Providers that run agents (contract section 7). */
export type ProviderName = 'claude' | 'codex' | 'gemini' | 'opencode' | 'command' | 'scripted';

/** Where work may be sent. An empty list allows everything. */
export interface ResidencyConfig {
  readonly allowedProviders: readonly string[];
  readonly allowedRegions: readonly string[];
  readonly airGapped: boolean;
}

/** An empty list allows everything, so it is the widest; two lists leave what both allow, and nothing left is a mistake. */
const narrow: Tighten<readonly string[]> = {
  words: 'only narrow it',
  combine(asked, given) {
    if (asked.length === 0 || given.length === 0) return asked.length === 0 ? given : asked;
    const both = given.filter((item) => asked.includes(item));
    return both.length === 0 ? undefined : both;
  },
};

/** Once a project has asked for it, no other layer takes it back. */
const onceTrue: Tighten<boolean> = { words: 'only switch it on', combine: (asked, given) => asked || given };

/** One row a field of `ResidencyConfig`. */
export const residencySection: Section<ResidencyConfig> = {
  allowedProviders: {
    key: 'residency.allowed_providers', kind: listOf(name), default: [], defaultWords: '`[]`, any', project: narrow,
    meaning: 'Model providers that may be called',
  },
  allowedRegions: {
    key: 'residency.allowed_regions', kind: listOf(name), default: [], defaultWords: '`[]`, any', project: narrow,
    meaning: 'Regions that may be called',
  },
  airGapped: {
    key: 'residency.air_gapped', kind: boolean, default: false, project: onceTrue,
    meaning: 'Whether nothing at all may be sent beyond this machine',
  },
};

/** Which agent works in a run. */
export interface ProviderConfig {
  readonly name: ProviderName;
  /** Command line of the provider `command`. */
  readonly command?: string;
  /** The model it calls, and the region that is in, where somebody says so. */
  readonly model?: string;
  readonly region?: string;
}

/** A quality gate: passes when its command exits with 0 in time. */
export interface GateConfig {
  readonly name: string;
  readonly command: string;
  readonly timeoutMs: number;
}

/** Who reviews at the end, and how many must approve. */
export interface CouncilConfig {
  readonly reviewers: readonly string[];
  readonly required: number;
}

/** Governed runs. */
export interface RunsConfig {
  /** Undefined: the first agent installed, else `scripted`. */
  readonly provider: ProviderConfig | undefined;
  readonly maxIterations: number;
  readonly gates: readonly GateConfig[];
  readonly council: CouncilConfig;
  readonly branchProtection: boolean;
  /** Tokens a run may use. Undefined: no limit of its own. */
  readonly budget: number | undefined;
  /** Whether a run whose worker died is taken up; else it is closed as failed. */
  readonly takeUp: boolean;
  /** Runs that the control plane drives at a time. */
  readonly workers: number;
}

const modelName: Kind<string> = text('a model name', /^\S{1,200}$/);
const providerName: Kind<ProviderName> = oneOf<ProviderName>('claude', 'codex', 'gemini', 'opencode', 'command', 'scripted');
const providerMap: Kind<ProviderConfig> = record<ProviderConfig>({ name: providerName, command, model: modelName, region: name }, ['name']);

/** A name alone, or a map where the provider `command` is told its command line. */
const provider: Kind<ProviderConfig> = {
  accepts: `${providerName.accepts}, or a map such as {name: command, command: "node agent.mjs"}`,
  fromText: (given, refuse) => named(providerName.fromText(given, refuse)),
  fromNode(node, refuse) {
    if (node.kind !== 'map') return named(providerName.fromNode(node, refuse));
    const read = providerMap.fromNode(node, refuse);
    if (read === undefined || (read.name === 'command') === (read.command !== undefined)) return read;
    const found = read.name === 'command' ? 'is command without a command line' : `is ${read.name} with a command line`;
    return refuse({ found, accepts: 'a command line with the provider command, and with no other', node });
  },
};

function named(given: ProviderName | undefined): ProviderConfig | undefined {
  return given === undefined ? undefined : { name: given };
}

interface WrittenGate { readonly name: string; readonly command: string; readonly timeout?: number }
const gateMap: Kind<WrittenGate> = record<WrittenGate>({ name, command, timeout: duration('1s', '1d') }, ['name', 'command']);
const gateTimeoutMs = 600_000;

/** A list of gates whose names differ: a result is known by its gate's name. */
const gates: Kind<readonly GateConfig[]> = {
  accepts: 'a list of {name, command, timeout}',
  fromText: (_given, refuse) => refuse({ found: 'is a text', accepts: 'a list of {name, command, timeout}, in a file' }),
  fromNode(node, refuse) {
    const read = listOf(gateMap).fromNode(node, refuse);
    if (read === undefined) return undefined;
    const twice = read.find((gate, at) => read.findIndex((other) => other.name === gate.name) < at);
    if (twice !== undefined) return refuse({ found: `has two gates named "${twice.name}"`, accepts: 'names that differ', node });
    return read.map((gate) => ({ name: gate.name, command: gate.command, timeoutMs: gate.timeout ?? gateTimeoutMs }));
  },
};

const defaultReviewers: readonly string[] = ['requirements', 'quality', 'security'];

interface WrittenCouncil { readonly reviewers?: readonly string[]; readonly required?: number }
const councilMap: Kind<WrittenCouncil> = record<WrittenCouncil>({ reviewers: listOf(name), required: integer(0, 100) }, []);

/** Left out, `required` is more than half of the reviewers. */
const council: Kind<CouncilConfig> = {
  accepts: 'a map such as {reviewers: [quality, security], required: 2}',
  fromText: (_given, refuse) => refuse({ found: 'is a text', accepts: `${council.accepts}, in a file` }),
  fromNode(node, refuse) {
    const read = councilMap.fromNode(node, refuse);
    if (read === undefined) return undefined;
    const reviewers = read.reviewers ?? defaultReviewers;
    const required = read.required ?? majority(reviewers);
    if (required <= reviewers.length) return { reviewers, required };
    return refuse({ found: `has ${required} required of ${reviewers.length} reviewers`, accepts: 'at most as many required as there are reviewers', node });
  },
};

function majority(reviewers: readonly string[]): number {
  return reviewers.length === 0 ? 0 : Math.floor(reviewers.length / 2) + 1;
}

/** One row a field of `RunsConfig`. */
export const runsSection: Section<RunsConfig> = {
  provider: {
    key: 'runs.provider', flag: '--provider', kind: provider, default: undefined, defaultWords: 'the first agent installed, else `scripted`',
    meaning: 'Agent that works: `claude`, `codex`, `gemini`, `opencode`, `scripted`, or `{name: command, command: "node agent.mjs"}`; `model` and `region` say what it calls (a region counts only outside the project file)',
  },
  maxIterations: {
    key: 'runs.max_iterations', flag: '--max-iterations', kind: integer(1, 1000), default: 10,
    meaning: 'Rounds of REASON, ACT, REFLECT, VERIFY before a run fails',
  },
  gates: {
    key: 'runs.gates', kind: gates, default: [],
    show: (list) => JSON.stringify(list.map((gate) => ({ name: gate.name, command: gate.command, timeout: formatDuration(gate.timeoutMs) }))),
    meaning: 'Quality gates, each `{name, command, timeout}`; `timeout` in seconds or as `2m`, 10 minutes when left out',
  },
  council: {
    key: 'runs.council', kind: council, default: { reviewers: defaultReviewers, required: majority(defaultReviewers) },
    meaning: 'Reviewers at the end and how many must approve: `{reviewers, required}`; more than half when `required` is left out',
  },
  branchProtection: {
    key: 'runs.branch_protection', kind: boolean, default: false,
    meaning: 'Whether a run works on a branch of its own, `loki/session-<time>-<pid>`',
  },
  budget: {
    key: 'runs.budget', flag: '--budget', kind: integer(1, 1_000_000_000_000), default: undefined, defaultWords: 'no limit',
    meaning: 'Tokens a run may use',
  },
  takeUp: {
    key: 'runs.take_up', kind: boolean, default: true,
    meaning: 'Whether a run that was ordered, and whose worker died, is taken up by another; else it fails',
  },
  workers: {
    key: 'runs.workers', kind: integer(0, 64), default: 1, project: 'never',
    meaning: 'How many runs that were ordered the control plane drives at a time, each in a process of its own; 0 leaves them to `loki worker`',
  },
};

/** US dollars a million tokens. */
export interface Price {
  readonly input?: number;
  readonly output?: number;
  readonly cache_read?: number;
  readonly cache_write?: number;
}

/** Prices by model. */
export interface PricesConfig {
  readonly byModel: ReadonlyMap<string, Price>;
}

/** Where somebody else lists prices, a project's count where they are higher, and for nothing that is not listed: a repository cannot make a model cheap. */
const dearer: Tighten<PricesConfig['byModel']> = {
  words: 'only raise what another layer lists',
  combine: (asked, given) => (given.size === 0 ? asked : new Map([...given].map(([model, price]) => [model, higher(price, asked.get(model))]))),
};

function higher(given: Price, asked: Price | undefined): Price {
  return Object.fromEntries(Object.entries(given).map(([kind, price]) => [kind, Math.max(price, asked?.[kind as keyof Price] ?? 0)]));
}

/** One row a field of `PricesConfig`. */
export const pricesSection: Section<PricesConfig> = {
  byModel: {
    key: 'prices',
    kind: mapOf(record<Price>({ input: amount, output: amount, cache_read: amount, cache_write: amount }, []), modelName),
    default: new Map(), defaultWords: 'none', project: dearer,
    meaning: 'US dollars a million tokens: `prices.<model>.{input,output,cache_read,cache_write}`',
  },
};
