/**
 * The control plane as a process of its own: started in the background, looked at, ended. Believes what one wrote down of itself
 * only as `runningProcess` does, and asks it over its socket file; a process that is not that one is never sent a signal.
 */
import { objectIn } from '../base/json.ts';
import { readLocalToken } from '../server/local-token.ts';
import { join } from '../base/paths.ts';
import { LokiError, messageOf } from '../errors.ts';
import { askApi, type ApiPlace } from '../host/api-client.ts';
import { endProcess } from '../host/end-process.ts';
import type { Cancel } from '../ports.ts';
import { graceMs } from './control-plane.ts';
import { forgetRunning, runningProcess, type RunningProcess } from './control-plane-address.ts';
import { prepareHome, type Installation } from './installation.ts';

/** A control plane that lives answers this at once. */
const patienceMs = 2_000;
/** From its start to its first answer, on a busy machine with a long log. */
const readyMs = 30_000;
const lookEveryMs = 50;
/** What is left of the time to end when draining and the last answers have had theirs. */
const endingMs = 10_000;

/** What `loki dashboard status` tells. */
export interface DashboardStatus extends RunningProcess {
  readonly ready: boolean;
  readonly authentication: string | null;
  readonly event_streams: number | null;
  readonly tls: boolean;
}

/** Where the output of one in the background goes. */
export function dashboardLog({ home }: Installation): string {
  return join(home.run, 'dashboard.log');
}

/** Asks the one that runs how it is. Throws `net.unreachable` when none runs, or it does not answer. */
export async function dashboardStatus(installation: Installation): Promise<DashboardStatus> {
  const running = runningProcess(installation);
  if (running === undefined) throw new LokiError('net.unreachable', { attempted: 'find the control plane', found: 'none runs that has written down its address', hint: 'Start it with: loki dashboard' });
  try {
    const place = placeOf(running);
    const ready = await askApi({ ...place, method: 'GET', path: '/health/ready', timeoutMs: patienceMs });
    const report = objectIn((await askApi({ ...place, method: 'GET', path: '/api/status', headers: ownToken(installation, running), timeoutMs: patienceMs })).body) ?? {};
    const { authentication, event_streams } = report;
    return {
      ...running, ready: ready.status === 200, tls: running.url.startsWith('https:'),
      authentication: typeof authentication === 'string' ? authentication : null, event_streams: typeof event_streams === 'number' ? event_streams : null,
    };
  } catch (error) {
    throw new LokiError('net.unreachable', {
      attempted: 'reach the control plane', found: `${running.url} (process ${running.pid}, started at ${running.since}) does not answer: ${messageOf(error)}`, hint: 'End it with: loki dashboard stop --force', cause: error,
    });
  }
}

/** The token of this machine, shown over the socket alone: who listens at a port may be anybody. */
function ownToken({ host: { disk }, home }: Installation, { socket }: RunningProcess): Readonly<Record<string, string>> {
  const token = socket === null ? undefined : readLocalToken(disk, { home: home.home, path: home.localToken });
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function placeOf({ socket, url }: RunningProcess): ApiPlace {
  return socket === null ? { base: url } : { socketPath: socket };
}

/** Starts `loki dashboard` with these arguments in the background, and waits until it is ready. Throws `net.unreachable` with what it said when it ended instead. */
export async function startInBackground(installation: Installation, args: readonly string[]): Promise<RunningProcess> {
  const { host: { spawn, facts, timers, clock }, home, project, surroundings } = installation;
  const already = runningProcess(installation);
  if (already !== undefined) {
    throw new LokiError('net.port_taken', { attempted: 'start the control plane', found: `one of this LOKI_HOME runs already at ${already.url} (process ${already.pid})`, hint: 'See it with: loki dashboard status; end it with: loki dashboard stop' });
  }
  prepareHome(installation);
  const log = dashboardLog(installation);
  keepLast(installation, log);
  const [program = '', ...before] = facts.loki;
  const env = Object.fromEntries(Object.entries(surroundings.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const named = project === undefined ? [] : ['--project', project.dir];
  const pid = spawn.leave({ program, args: [...before, 'dashboard', 'start', ...args, ...named], cwd: home.home, env: { ...env, LOKI_HOME: home.home }, output: log });
  const until = clock.monotonic() + readyMs;
  while (pid !== undefined && clock.monotonic() < until && facts.startOf(pid) !== undefined) {
    const running = runningProcess(installation);
    if (running?.pid === pid && await isReady(running)) return running;
    await timers.sleep(lookEveryMs);
  }
  const start = pid === undefined ? undefined : facts.startOf(pid);
  if (pid !== undefined && start !== undefined) endProcess(pid, start, 'kill');
  throw new LokiError('net.unreachable', {
    attempted: 'start the control plane', found: start === undefined ? `it ended: ${lastWords(installation, log)}` : `it was not ready within ${readyMs / 1000} s, and was ended`, hint: `Read ${log}`,
  });
}

async function isReady(running: RunningProcess): Promise<boolean> {
  try {
    return (await askApi({ ...placeOf(running), method: 'GET', path: '/health/ready', timeoutMs: patienceMs })).status === 200;
  } catch {
    return false;
  }
}

/** Whether `startOf` tells one process with this id from another. */
function tellsStarts({ host: { facts } }: Installation): boolean {
  return facts.platform === 'linux';
}

/** The log of the one before stays beside the new one. */
function keepLast({ host: { disk } }: Installation, log: string): void {
  if (disk.stat(log) === undefined) return;
  disk.remove(`${log}.1`);
  disk.move(log, `${log}.1`);
}

const largestLog = 1024 * 1024;

/** What it said of its failure, or said last. */
function lastWords({ host: { disk } }: Installation, log: string): string {
  const text = Buffer.from(disk.read(log, largestLog) ?? []).toString('utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const told = lines.findLast((line) => line.startsWith('error: ')) ?? lines.at(-1);
  return told === undefined ? 'it said nothing' : told.replace(/^error: /, '').slice(0, 1000);
}

/** Empties the log of one in the background when it grows beyond a megabyte. */
export function boundLog(installation: Installation, everyMs: number = 60_000): Cancel {
  const { host: { disk, timers }, home } = installation;
  const log = dashboardLog(installation);
  return timers.every(everyMs, () => {
    try {
      if ((disk.stat(log)?.size ?? 0) <= largestLog) return;
      const file = disk.openRecord(home.home, log, 0o600);
      file.cut(0);
      file.close();
    } catch {
      // A log that cannot be shortened is no reason to end.
    }
  });
}

/** Ends the one that runs and waits until it is gone: in order, or at once with `force`. Undefined when none runs. */
export async function endRunning(installation: Installation, force: boolean): Promise<RunningProcess | undefined> {
  const { host: { facts, timers, clock }, config } = installation;
  const running = runningProcess(installation);
  if (running === undefined) return undefined;
  const { pid, start, url } = running;
  if (!tellsStarts(installation) && !await isReady(running)) {
    throw new LokiError('net.unreachable', { attempted: 'end the control plane', found: `process ${pid} does not answer as one, and this system does not tell whether it is the one that was started`, hint: 'Look at the process, and end it yourself' });
  }
  endProcess(pid, start, force ? 'kill' : 'ask');
  const until = clock.monotonic() + config.server.drain + graceMs + endingMs;
  while (facts.startOf(pid) === start) {
    if (clock.monotonic() > until) {
      throw new LokiError('interrupted', { attempted: 'end the control plane', found: `process ${pid} still runs`, hint: 'End it at once with: loki dashboard stop --force' });
    }
    await timers.sleep(lookEveryMs);
  }
  // One that was killed could not do it itself.
  forgetRunning(installation, url);
  return running;
}
