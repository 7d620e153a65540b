/**
 * The workers of the control plane: each run that was ordered is driven in a process of its own, `loki worker --run ID`, so many
 * at a time and one a project. It looks at the queue now and then, and at once when it is told that something was ordered. A
 * worker that ends without having seen its run to an end is started again later, and later still; stopping asks each to let go.
 */
import type { Cancel } from '../ports.ts';
import { messageOf } from '../errors.ts';
import type { Recorder } from '../audit/entry.ts';
import { scanners } from '../policy/scan/scanners.ts';
import { short } from '../runs/answer.ts';
import { closeRun } from '../runs/closing.ts';
import { watchLeases } from '../runs/lease.ts';
import { readRun } from '../runs/progress.ts';
import { queuedRuns, unqueue, type QueuedRun } from '../runs/queue.ts';
import { runKeys } from '../runs/run.ts';
import type { Store } from '../store/store.ts';
import { tenantView } from '../store/tenant-view.ts';
import type { Installation } from './installation.ts';

export interface RunWorkers {
  /** Something was ordered. */
  nudge(): void;
  /** Worker processes that live. */
  count(): number;
  /** Every worker lets go of its run and has ended when it resolves. */
  stop(): Promise<void>;
}

/** What is ordered by other processes, and leases that run out, are noticed this often. */
const lookEveryMs = 2_000;
/** A worker that lets go ends its agent first. */
const letGoMs = 8_000;
/** The longest time that a timer takes; a run has none of its own. */
const endlessMs = 2 ** 31 - 1;
const outputBytes = 16 * 1024;
const wordsLength = 500;
/** Pauses between workers over one run, doubled each time; a run that has not begun after so many is closed. */
const pauses = { firstMs: 1_000, mostMs: 60_000, most: 8 } as const;

interface Trouble {
  readonly tries: number;
  readonly until: number;
  /** What the last worker complained. */
  readonly words: string;
}

/** Starts looking. `most`: how many runs at a time; 0 starts nothing at all. */
export function superviseRuns(installation: Installation, root: Store, record: Recorder, most: number = installation.config.runs.workers): RunWorkers {
  if (most === 0) return { nudge: () => undefined, count: () => 0, stop: () => Promise.resolve() };
  const supervisor = new Supervisor(installation, root, record, most);
  supervisor.start();
  return supervisor;
}

class Supervisor implements RunWorkers {
  readonly #installation: Installation;
  readonly #root: Store;
  readonly #record: Recorder;
  readonly #most: number;
  readonly #leases: ReturnType<typeof watchLeases>;
  readonly #workers = new Map<string, { readonly project: string; readonly done: Promise<void> }>();
  readonly #trouble = new Map<string, Trouble>();
  readonly #stopping = new AbortController();
  #timer: Cancel = () => undefined;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(installation: Installation, root: Store, record: Recorder, most: number) {
    [this.#installation, this.#root, this.#record, this.#most] = [installation, root, record, most];
    this.#leases = watchLeases(installation.host.facts, installation.host.clock);
  }

  start(): void {
    this.#timer = this.#installation.host.timers.every(lookEveryMs, () => this.nudge());
    this.nudge();
  }

  nudge(): void {
    this.#again = true;
    // A store that cannot be read now is looked at again in a moment.
    this.#looking ??= this.#look().catch(() => undefined).finally(() => { this.#looking = undefined; });
  }

  count(): number {
    return this.#workers.size;
  }

  async stop(): Promise<void> {
    this.#timer();
    this.#stopping.abort();
    await this.#looking;
    await Promise.all([...this.#workers.values()].map(({ done }) => done));
  }

  async #look(): Promise<void> {
    while (this.#again && !this.#stopping.signal.aborted) {
      this.#again = false;
      const queue = await queuedRuns(this.#root);
      this.#forget(queue);
      const projects = new Set([...this.#workers.values()].map(({ project }) => project));
      for (const queued of queue) {
        if (this.#workers.size >= this.#most || this.#stopping.signal.aborted) break;
        if (this.#workers.has(queued.run_id) || projects.has(queued.project_id) || !await this.#isDue(queued)) continue;
        projects.add(queued.project_id);
        this.#begin(queued);
      }
    }
  }

  /** Runs that have left the queue are nobody's trouble any more. */
  #forget(queue: readonly QueuedRun[]): void {
    const known = new Set(queue.map(({ run_id }) => run_id));
    for (const id of this.#trouble.keys()) if (!known.has(id)) this.#trouble.delete(id);
  }

  async #isDue(queued: QueuedRun): Promise<boolean> {
    const trouble = this.#trouble.get(queued.run_id);
    if (trouble !== undefined && this.#installation.host.clock.monotonic() < trouble.until) return false;
    const stand = await this.#leases.look(tenantView(this.#root, queued.tenant_id), queued.run_id);
    if (!stand.free) return false;
    return (trouble?.tries ?? 0) < pauses.most || !await this.#giveUp(queued);
  }

  /** A run over which no worker could even begin its work is closed; one that was begun is its workers' to close. */
  async #giveUp(queued: QueuedRun): Promise<boolean> {
    const { host } = this.#installation;
    const store = tenantView(this.#root, queued.tenant_id);
    const entry = await store.get(runKeys.run(queued.run_id));
    if (entry === undefined || readRun(entry.value).status !== 'pending') return false;
    await closeRun({ ...host, store, record: this.#record }, entry, { status: 'failed', actor: 'system', reason: short(scanners.redact(`${pauses.most} workers have ended without beginning it; the last: ${this.#trouble.get(queued.run_id)?.words ?? ''}`)) });
    await unqueue(this.#root, queued.run_id);
    return true;
  }

  #begin({ run_id, project_id }: QueuedRun): void {
    const done = this.#drive(run_id).then((complaint) => {
      this.#workers.delete(run_id);
      if (complaint === undefined) this.#trouble.delete(run_id);
      else this.#troubled(run_id, complaint);
      if (!this.#stopping.signal.aborted) this.nudge();
    });
    this.#workers.set(run_id, { project: project_id, done });
  }

  #troubled(runId: string, words: string): void {
    const tries = (this.#trouble.get(runId)?.tries ?? 0) + 1;
    const pause = Math.min(pauses.mostMs, pauses.firstMs * 2 ** (tries - 1));
    this.#trouble.set(runId, { tries, until: this.#installation.host.clock.monotonic() + pause, words });
  }

  /** Undefined when the worker has seen to the run, else what it said. */
  async #drive(runId: string): Promise<string | undefined> {
    const { host: { spawn, facts }, home, surroundings } = this.#installation;
    const [program = '', ...args] = facts.loki;
    const env = Object.fromEntries(Object.entries(surroundings.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    try {
      const { exit, signal, stderr } = await spawn.run({
        program, args: [...args, 'worker', '--run', runId, '--quiet'], cwd: home.home, env: { ...env, LOKI_HOME: home.home },
        timeoutMs: endlessMs, outputLimit: outputBytes, signal: this.#stopping.signal, graceMs: letGoMs,
      });
      if (exit === 0) return undefined;
      return new TextDecoder().decode(stderr).trim().slice(-wordsLength) || `it ended with ${exit === null ? `signal ${signal ?? ''}` : `exit code ${exit}`}`;
    } catch (error) {
      return messageOf(error);
    }
  }
}
