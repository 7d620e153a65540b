/**
 * Checks of telemetry: what is set up and which setting won, what waits and what was dropped, who sends. Receivers are asked only when somebody
 * names this area: `loki doctor` by itself causes no traffic.
 */
import { hasCourier } from '../telemetry/leave.ts';
import { dropRows, readAccount, type Account } from '../telemetry/account.ts';
import { look } from '../telemetry/handover-names.ts';
import { accountPlace, handoverPlace } from '../telemetry/parts.ts';
import type { ProbeReport } from '../telemetry/probe.ts';
import { temporalityHint } from '../telemetry/probe-words.ts';
import { receiverUnusable, resolveTelemetry } from '../telemetry/settings.ts';
import type { Signal } from '../../telemetry/batch.ts';
import { nobodyAsked } from '../../telemetry/resolve-settings.ts';
import type { TelemetrySettings } from '../../telemetry/settings.ts';
import { bytes, count, fail, names, ok, quoted, span, warn, type Check, type Outcome } from './check.ts';
import type { Scene } from './scene.ts';

export const telemetryChecks: readonly Check[] = [
  { name: 'settings', about: 'whether telemetry is on, and where it goes', look: settings },
  { name: 'values', about: 'which variable or file gave each value', look: values },
  { name: 'problems', about: 'settings that cannot be used, or mean something else than one might think', look: problems },
  { name: 'certificates', about: 'files that TLS needs', look: certificates },
  { name: 'traces', about: 'what each receiver answers to a span', look: (scene) => answers(scene, 'traces') },
  { name: 'metrics', about: 'what each receiver answers to a data point', look: (scene) => answers(scene, 'metrics') },
  { name: 'logs', about: 'what each receiver answers to a log record', look: (scene) => answers(scene, 'logs') },
  { name: 'clocks', about: 'whether receivers and this machine have the same time', look: clocks },
  { name: 'folders', about: 'folders that OTLP files are written to', look: folders },
  { name: 'sender', about: 'whether a process sends what others hand over', look: sender },
  { name: 'waiting', about: 'what waits to be sent, and for how long', look: waiting },
  { name: 'drops', about: 'what was dropped, and why', look: drops },
];

const off = ok('telemetry is off');
const longestWords = 300;

/** What one look is made of is worked out once. */
const settingsSeen = new WeakMap<Scene, TelemetrySettings>();
const probesSeen = new WeakMap<Scene, Promise<readonly ProbeReport[]>>();

function settingsOf(scene: Scene): TelemetrySettings {
  const seen = settingsSeen.get(scene) ?? resolveTelemetry(scene.installation);
  settingsSeen.set(scene, seen);
  return seen;
}

function accountOf({ installation }: Scene): Account | undefined {
  return readAccount(accountPlace(installation));
}

function settings(scene: Scene): Outcome {
  if (scene.problem !== undefined) return fail(`the configuration cannot be used: ${scene.problem.message}`, scene.problem.hint);
  const { isOn, offBecause, destinations, problems: told } = settingsOf(scene);
  if (offBecause === receiverUnusable) return fail(`telemetry is off: ${offBecause}; problems says why`, told.find(({ hint }) => hint !== undefined)?.hint ?? 'Correct what problems names');
  if (!isOn) return ok(`telemetry is off: ${offBecause ?? ''}${offBecause === nobodyAsked ? '. LOKI_OTEL_ENDPOINT=http://localhost:4318, or enterprise.telemetry.endpoint, switches it on' : ''}`);
  const where = destinations.map(({ name, signals, temporality }) => `${name} (${signals.join(', ')}${signals.includes('metrics') ? `, ${temporality}` : ''})`);
  const kept = scene.installation.config.telemetry.spoolMb;
  return ok(`${names(where)}; ${kept === 0 ? 'what cannot be sent is kept in memory only' : `up to ${kept} MB for each are kept on disk`}`);
}

function values(scene: Scene): Outcome {
  const { effective } = settingsOf(scene);
  if (effective.length === 0) return ok('every value is at its default');
  return ok(effective.map(({ name, value, from, passedOver = [] }) => `${name}: ${shortened(value)} from ${from}${passedOver.length === 0 ? '' : `, not ${names(passedOver)}`}`).join('; '));
}

function problems(scene: Scene): Outcome {
  const told = settingsOf(scene).problems;
  const [first] = told;
  if (first === undefined) return ok('none');
  return warn(told.map(({ message }) => shortened(message)).join('; '), told.find(({ hint }) => hint !== undefined)?.hint ?? 'Correct what the message names');
}

const largestPem = 1 << 20;

/** How a PEM file begins what it is named for (RFC 7468). */
function pemOf(kind: string): RegExp {
  return kind === 'key' ? /-----BEGIN [A-Z ]*PRIVATE KEY-----/ : /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;
}

function certificates(scene: Scene): Outcome {
  const { disk } = scene.installation.host;
  const files = new Map(settingsOf(scene).destinations.flatMap((each) => (each.kind === 'http' ? Object.values(each.routes) : [])).flatMap(({ tls }) => Object.entries(tls)).map(([kind, path]) => [path, kind]));
  if (files.size === 0) return ok('the system\'s certificates are trusted, none of ours is shown');
  const missing = [...files.keys()].filter((path) => disk.realpath(path) === undefined);
  if (missing.length > 0) return fail(`named and not there: ${names(missing)}`, 'Put the files there, or correct enterprise.telemetry');
  const wrong = [...files].find(([path, kind]) => !pemOf(kind).test(Buffer.from(disk.read(path, largestPem) ?? []).toString('latin1')))?.[0];
  if (wrong !== undefined) return fail(`${wrong} holds no ${files.get(wrong) === 'key' ? 'private key' : 'certificate'} in PEM`, 'Name the file that does');
  const open = [...files].find(([path, kind]) => kind === 'key' && ((disk.stat(disk.realpath(path) ?? path)?.mode ?? 0) & 0o077) !== 0)?.[0];
  if (open !== undefined) return warn(`${open} can be read by others than its owner`, `chmod 600 ${quoted(open)}`);
  return ok(`${count(files.size, 'file')}, all there`);
}

/** What came of it, where receivers may be asked. */
async function probesOf(scene: Scene): Promise<readonly ProbeReport[] | undefined> {
  const { isOn } = settingsOf(scene);
  if (!isOn || !scene.named) return undefined;
  const probing = probesSeen.get(scene) ?? import('../telemetry/probe.ts').then(({ probeReceivers }) => probeReceivers(scene.installation, settingsOf(scene)));
  probesSeen.set(scene, probing);
  return probing;
}

async function answers(scene: Scene, signal: Signal): Promise<Outcome> {
  const { isOn, destinations } = settingsOf(scene);
  if (!isOn) return off;
  const reports = (await probesOf(scene))?.filter((each) => each.signal === signal);
  if (reports === undefined) return ok('not asked: loki doctor telemetry asks');
  const routes = destinations.flatMap((each) => (each.kind === 'http' && each.routes[signal] !== undefined ? [{ url: each.routes[signal].url, temporality: each.temporality, name: each.name }] : []));
  if (reports.length === 0) return ok(`no receiver is sent ${signal}`);
  const hint = signal === 'metrics' ? routes.map(({ name, url, temporality }) => [name, temporalityHint(url, temporality)] as const).find(([, words]) => words !== undefined) : undefined;
  const troubled = reports.filter(({ status }) => status !== 'taken');
  const words = (troubled.length === 0 ? reports : troubled).map(({ destination, said }) => `${destination}: ${said}`).join('; ');
  const repair = troubled.find((each) => each.repair !== undefined)?.repair ?? 'Look into the receiver\'s own log';
  if (troubled.some(({ status }) => status === 'failed')) return fail(words, repair);
  if (troubled.length > 0) return warn(words, repair);
  return hint?.[1] === undefined ? ok(words) : warn(`${words}; but ${hint[0]}: ${hint[1]}`, 'Set the temporality that it takes');
}

/** Receivers drop what lies too far from their own time; below this no network and no rounding is told from a clock. */
const farApartMs = 30_000;

async function clocks(scene: Scene): Promise<Outcome> {
  if (!settingsOf(scene).isOn) return off;
  const told = (await probesOf(scene))?.filter(({ aheadMs }) => aheadMs !== undefined);
  if (told === undefined) return ok('not asked: loki doctor telemetry asks');
  const [worst] = told.toSorted((a, b) => Math.abs(b.aheadMs ?? 0) - Math.abs(a.aheadMs ?? 0));
  if (worst?.aheadMs === undefined) return ok('no receiver says what time it is');
  if (Math.abs(worst.aheadMs) < farApartMs) return ok(`within ${span(Math.max(1000, Math.abs(worst.aheadMs)))} of each other`);
  return warn(`the clock of ${worst.destination} is ${span(Math.abs(worst.aheadMs))} ${worst.aheadMs > 0 ? 'ahead of' : 'behind'} this machine's: what is sent may be dropped or stand at the wrong place`, 'Set both clocks by a time server');
}

function folders(scene: Scene): Outcome {
  const { disk } = scene.installation.host;
  const all = settingsOf(scene).destinations.flatMap((each) => (each.kind === 'file' ? [each.directory] : []));
  if (all.length === 0) return ok('none');
  const wrong = all.filter((directory) => ![undefined, 'directory'].includes(disk.stat(disk.realpath(directory) ?? directory)?.kind));
  if (wrong.length > 0) return fail(`${names(wrong)}: there is something else than a folder`, 'Name a folder in the endpoint');
  const missing = all.filter((directory) => disk.realpath(directory) === undefined);
  return ok(missing.length === 0 ? names(all) : `${names(missing)}: made when it is first written to`);
}

/** A process that sends is there while something long lives, or while something waits. */
function sender(scene: Scene): Outcome {
  if (!settingsOf(scene).isOn) return off;
  const account = accountOf(scene);
  const last = account === undefined ? 'nothing has been sent yet' : `the last was ${account.courier.kind} (process ${account.courier.pid}), ${span(scene.now - account.at)} ago`;
  if (hasCourier(scene.installation)) return ok(account === undefined ? 'a process sends' : `${account.courier.kind} (process ${account.courier.pid}) sends`);
  const { batches } = look(handoverPlace(scene.installation));
  return batches.length === 0 ? ok(`nobody sends, and nothing was handed over; ${last}`) : warn(`nobody sends what was handed over; ${last}`, 'loki telemetry send, or a control plane that runs: loki dashboard start --detach');
}

/** A receiver that is away for longer is worth a word. */
const patienceMs = 10 * 60_000;

function waiting(scene: Scene): Outcome {
  const { batches } = look(handoverPlace(scene.installation));
  const account = accountOf(scene);
  const stands = (account?.destinations ?? []).filter(({ waiting: { items, files } }) => items > 0 || files > 0);
  const oldest = Math.min(...batches.map(({ madeMs }) => madeMs), ...stands.map(({ waiting: { oldest: since } }) => since ?? Infinity));
  const handed = batches.length === 0 ? [] : [`${count(batches.length, 'batch').replace('batchs', 'batches')} handed over`];
  const spooled = stands.map(({ name, waiting: { items, fileBytes } }) => `${count(items, 'item')} for ${name} (${bytes(fileBytes)} on disk)`);
  if (handed.length + spooled.length === 0) return ok('nothing waits');
  const words = `${[...handed, ...spooled].join('; ')}${Number.isFinite(oldest) ? `; the oldest for ${span(scene.now - oldest)}` : ''}${failureOf(account)}`;
  return scene.now - oldest > patienceMs ? warn(words, 'Put the receiver right: loki doctor telemetry says what it answers') : ok(words);
}

function failureOf(account: Account | undefined): string {
  const failures = (account?.destinations ?? []).flatMap(({ name, signals }) => Object.values(signals).flatMap(({ lastFailure, failures: number }) => (lastFailure === null || number === 0 ? [] : [{ name, ...lastFailure }])));
  const newest = failures.toSorted((a, b) => b.at - a.at)[0];
  return newest === undefined ? '' : `; ${newest.name} last said: ${shortened(String(newest.words))}`;
}

function drops(scene: Scene): Outcome {
  const rows = dropRows(accountOf(scene)?.dropped ?? {});
  if (rows.length === 0) return ok('none');
  const words = rows.map(([signal, reason, items]) => `${items} of ${signal} (${reason})`).join(', ');
  return warn(`since this installation has telemetry: ${words}`, 'loki telemetry status says of each receiver why');
}

function shortened(text: string): string {
  return text.length > longestWords ? `${text.slice(0, longestWords)}…` : text;
}
