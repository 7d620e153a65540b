/**
 * The hooks that are installed, tried: the very command of the settings is run as the agent runs it, on a harmless and on a forbidden
 * call that no agent made, and then broken on purpose. What counts is what the agent would do, and that both answers are on record.
 */
import { handedDown, shellQuoted } from '../../agents/hook-command.ts';
import type { AgentName } from '../../agents/hook.ts';
import { askEvent, effectOf, effectOfHttp, forbiddenCall, harmlessCall, type Canary, type Effect, type HttpEnd } from '../../agents/settings/canary.ts';
import type { OwnHttp } from '../../agents/settings/http-hooks.ts';
import { findHooks } from '../../agents/settings/json-hooks.ts';
import { pluginFacts } from '../../agents/settings/opencode-plugin.ts';
import { readOwnCommand } from '../../agents/settings/own-command.ts';
import { hookShapes } from '../../agents/settings/wanted.ts';
import type { JsonObject } from '../../base/json.ts';
import { queryLog, type LoggedEntry } from '../../audit/query.ts';
import { httpAsk } from '../../host/http-client.ts';
import { openEntries } from '../audit/protection.ts';
import { fail, ok, warn, type Outcome } from '../doctor/check.ts';
import { repairOf } from './check-commands.ts';
import { settingsReader, type HookGround } from './ground.ts';
import { lookAtAgent, type AgentScene, type InstalledScope } from './scene.ts';

/** Longer than any hook needs that waits for nobody. */
const trialTimeoutMs = 60_000;
const longestAnswer = 1 << 20;

/** What came of one trial. */
export interface Trial extends Outcome {
  readonly check: string;
}

export interface TrialReport {
  readonly agent: AgentName;
  readonly scope: string;
  readonly path: string;
  readonly trials: readonly Trial[];
}

/** Tries the hooks of an agent wherever they stand; none when nothing is installed. */
export async function tryHooks(ground: HookGround, agent: AgentName): Promise<readonly TrialReport[]> {
  const scene = await lookAtAgent(ground, agent);
  const reports: TrialReport[] = [];
  for (const place of scene.installed) reports.push({ agent, scope: place.scope, path: place.path, trials: await tryPlace(scene, place) });
  return reports;
}

/** The installed hook, whole and broken. Each text is what a shell, or for OpenCode node, is given. */
interface Subject {
  readonly whole: string;
  readonly withoutProgram: string;
  readonly withGarbage: string;
}

async function tryPlace(scene: AgentScene, place: InstalledScope): Promise<readonly Trial[]> {
  const { agent, ground } = scene;
  const http = place.hooks.find(({ event }) => event === askEvent(agent))?.http;
  if (http !== undefined) return tryHttp(scene, place, http);
  const subject = subjectOf(scene, place);
  if (subject === undefined) return [{ check: 'command', ...fail(`there is no command of ours for ${askEvent(agent)} that can be read`, repairOf(agent, place)) }];
  const canary = canaryFor(ground);
  const ask = (text: string, call: JsonObject): Promise<Effect> => askAgent(ground, agent, text, call, canary.cwd);
  const harmless = harmlessCall(agent, canary);
  const [yes, no] = [await ask(subject.whole, harmless), await ask(subject.whole, forbiddenCall(agent, canary))];
  const receipts = receiptsOf(ground, canary);
  const broken = { missing: await ask(subject.withoutProgram, harmless), garbage: await ask(subject.withGarbage, harmless) };
  return [
    ...judgedTrials(scene, place, { yes, no, receipts }),
    { check: 'program gone', ...brokenOutcome(broken.missing, place, agent) },
    { check: 'garbage said', ...brokenOutcome(broken.garbage, place, agent) },
  ];
}

/** What came of the two calls. */
interface Judged {
  readonly yes: Effect;
  readonly no: Effect;
  readonly receipts: Receipts;
}

function judgedTrials({ agent, ground }: AgentScene, place: InstalledScope, { yes, no, receipts }: Judged): readonly Trial[] {
  return [
    { check: 'harmless call', ...harmlessOutcome(yes, receipts) },
    { check: 'forbidden call', ...(no.runs ? fail('a change of the policy itself would have been let through', repairOf(agent, place)) : ok(`refused: ${shortened(no.reason)}`)) },
    { check: 'on record', ...recordOutcome(ground, receipts) },
  ];
}

/** Nobody listens there: it takes a right that programs of agents do not have. */
const nowhere = 'http://127.0.0.1:1/hooks/claude';

/** A hook over HTTP: asked as the agent asks, then with nobody there, and with a token that nobody gave out. */
async function tryHttp(scene: AgentScene, place: InstalledScope, { url, token }: OwnHttp): Promise<readonly Trial[]> {
  const { agent, ground } = scene;
  const canary = canaryFor(ground);
  const onFailure = findHooks(settingsReader(ground.installation)(place.path) ?? '{}', hookShapes.claude, place.path).find(({ isOurs, event }) => isOurs && event === askEvent(agent))?.handler['onFailure'];
  const ask = async (to: string, shown: string, call: JsonObject): Promise<Effect> => effectOfHttp(await asked(to, shown, call), onFailure);
  const [harmless, forbidden] = [harmlessCall(agent, canary), forbiddenCall(agent, canary)];
  const [yes, no] = [await ask(url, token, harmless), await ask(url, token, forbidden)];
  return [
    ...judgedTrials(scene, place, { yes, no, receipts: receiptsOf(ground, canary) }),
    { check: 'nobody answers', ...brokenOutcome(await ask(nowhere, token, harmless), place, agent) },
    { check: 'wrong token', ...brokenOutcome(await ask(url, `${token.slice(0, -8)}AAAAAAAA`, harmless), place, agent) },
  ];
}

async function asked(url: string, token: string, call: JsonObject): Promise<HttpEnd> {
  try {
    return await httpAsk(url, trialTimeoutMs, { headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(call) });
  } catch {
    return { status: undefined, body: '' };
  }
}

function canaryFor({ project, installation: { host: { random }, surroundings: { cwd } } }: HookGround): Canary {
  return { mark: `loki-canary-${Buffer.from(random.bytes(8)).toString('hex')}`, cwd: project?.dir ?? cwd };
}

function subjectOf({ agent, ground: { installation } }: AgentScene, place: InstalledScope): Subject | undefined {
  if (agent === 'opencode') return pluginSubject(settingsReader(installation)(place.path) ?? '');
  const line = place.hooks.find(({ event }) => event === askEvent(agent))?.command;
  const program = line === undefined ? undefined : readOwnCommand(line, agent)?.program.map(shellQuoted).join(' ');
  if (line === undefined || program === undefined) return undefined;
  return { whole: line, withoutProgram: line.replace(`${program} hook`, '/nowhere/loki hook'), withGarbage: line.replace(`${program} hook`, '/bin/echo this is no answer: hook') };
}

function pluginSubject(text: string): Subject | undefined {
  const program = pluginFacts(text)?.program[0];
  if (program === undefined) return undefined;
  const starting = (other: string): string => text.replace(`"program": ${JSON.stringify(program)}`, `"program": "${other}"`);
  return { whole: text, withoutProgram: starting('/nowhere/loki'), withGarbage: starting('/bin/echo') };
}

/** Loads a plugin as OpenCode does, asks it about one call, and says what came of it. */
const driver = `
const { argv, stdout } = globalThis['process'];
const [text, call, directory] = argv.slice(1);
const { Loki } = await import('data:text/javascript;base64,' + Buffer.from(text).toString('base64'));
const hooks = await Loki({ directory });
const { tool, sessionID, args } = JSON.parse(call);
let effect = { runs: true, reason: '' };
try { await hooks['tool.execute.before']({ tool, sessionID, callID: sessionID }, { args }); } catch (error) { effect = { runs: false, reason: String(error && error.message) }; }
stdout.write(JSON.stringify(effect));
`;

async function askAgent({ installation: { host: { spawn, facts }, surroundings: { env } } }: HookGround, agent: AgentName, text: string, call: JsonObject, cwd: string): Promise<Effect> {
  const ours = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined || handedDown.includes(name) ? [] : [[name, value]])));
  const common = { cwd, env: ours, timeoutMs: trialTimeoutMs, outputLimit: longestAnswer };
  if (agent !== 'opencode') {
    const { exit, stdout, stderr, timedOut } = await spawn.run({ ...common, program: '/bin/sh', args: ['-c', text], input: Buffer.from(JSON.stringify(call)) });
    return effectOf(agent, { exit, timedOut, stdout: Buffer.from(stdout).toString('utf8'), stderr: Buffer.from(stderr).toString('utf8') });
  }
  const { stdout } = await spawn.run({ ...common, program: facts.loki[0] ?? 'node', args: ['--input-type=module', '-e', driver, text, JSON.stringify(call), cwd] });
  const effect: Partial<Effect> = Object(JSON.parse(Buffer.from(stdout).toString('utf8') || '{}'));
  return { runs: effect.runs !== false, reason: effect.reason ?? '' };
}

/** What the log of record says of the two calls. */
interface Receipts {
  readonly harmless: LoggedEntry | undefined;
  readonly forbidden: LoggedEntry | undefined;
}

function receiptsOf({ installation }: HookGround, { mark }: Canary): Receipts {
  const { host: { disk }, home } = installation;
  const found = [...queryLog(disk, home.audit, { text: mark, event: 'policy.*' }, { opener: openEntries(installation) })];
  const ofCall = (isHarmless: boolean): LoggedEntry | undefined => found.find((entry) => JSON.stringify(entry['details'] ?? {}).includes(`true # ${mark}`) === isHarmless);
  return { harmless: ofCall(true), forbidden: ofCall(false) };
}

function harmlessOutcome({ runs, reason }: Effect, { harmless }: Receipts): Outcome {
  if (runs) return ok('let through');
  const words = shortened(reason);
  return harmless === undefined ? fail(`refused, and not by a decision: ${words}`, 'loki hooks status says what stands in the way') : warn(`refused by decision ${harmless.seq}, as the policy has it: ${words}`, 'loki policy explain says why');
}

function recordOutcome({ installation: { config, home } }: HookGround, { harmless, forbidden }: Receipts): Outcome {
  if (!config.audit.enabled) return warn('audit logging is switched off: nothing is on record', 'loki doctor audit');
  if (harmless !== undefined && forbidden !== undefined) return ok(`entries ${[harmless.seq, forbidden.seq].sort((left, right) => left - right).join(' and ')} of the log of record`);
  const missing = [harmless === undefined ? 'harmless' : '', forbidden === undefined ? 'forbidden' : ''].filter(Boolean).join(' and the ');
  return fail(`the ${missing} call is not in the log of record below ${home.home}`, 'loki hooks status says where the hooks keep their records');
}

function brokenOutcome({ runs, reason }: Effect, place: InstalledScope, agent: AgentName): Outcome {
  return runs ? fail('the call would have been let through', repairOf(agent, place)) : ok(`refused: ${shortened(reason)}`);
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
