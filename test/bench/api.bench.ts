/**
 * The control plane under load, against bare `node:http` that answers the same bytes and header fields: a real program with a
 * real store and log on disk, a tenant's key in every request, everything checked and on record. Servers and client are processes
 * of their own. Beside the promises it says what processor time a request takes of each server, which no other load disturbs.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeSync } from 'node:fs';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newId } from '../../lib/base/ids.ts';
import { keyRoom } from '../../lib/app/api-keys.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { openInstallation, prepareHome } from '../../lib/app/installation.ts';
import { openStore } from '../../lib/app/store.ts';
import { lokiProgram } from '../support/story.ts';
import type { Bench, Done, Subject } from './harness.ts';
import type { BareAnswer, LoadOrder, LoadResult } from './http-load.ts';

const runs = 500;
const inFlight = 64;
/** Rounds before the first that counts. */
const warmUp = 5;

interface Served {
  readonly port: number;
  readonly pid: number;
  readonly token: string;
  readonly project: string;
  readonly runs: readonly string[];
  readonly root: string;
  end(): Promise<void>;
}

/** A control plane with a tenant, its key, a project and runs. LOKI_BENCH_DIR says on which file system. */
async function serve(): Promise<Served> {
  const root = realpathSync(mkdtempSync(join(process.env['LOKI_BENCH_DIR'] ?? tmpdir(), 'loki-bench-')));
  const env = { PATH: process.env['PATH'] ?? '', HOME: root, LOKI_HOME: join(root, 'home'), LOKI_ENTERPRISE_AUTH: 'true', LOKI_API_RATE_LIMIT: '1000000' };
  const filled = await fill(env, root);
  const flags = process.env['LOKI_BENCH_NODE_OPTIONS']?.split(' ') ?? [];
  const plane: ChildProcess = spawn(process.execPath, [...flags, ...lokiProgram, 'dashboard', '--port', '0'], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  if (plane.stdout !== null) await once(plane.stdout, 'data');
  const address = new URL(readFileSync(join(root, 'home/run/address'), 'utf8').trim());
  return {
    ...filled, root, port: Number(address.port), pid: plane.pid ?? 0,
    async end() {
      plane.kill('SIGTERM');
      await once(plane, 'exit');
      rmSync(root, { recursive: true });
    },
  };
}

async function fill(env: Readonly<Record<string, string>>, root: string): Promise<Pick<Served, 'token' | 'project' | 'runs'>> {
  const installation = openInstallation({ env, cwd: root, homeDirectory: root });
  prepareHome(installation);
  const { host: { clock, random } } = installation;
  const log = openRecord(installation);
  const store = await openStore(installation, log.record);
  const [now, at] = [clock.now(), '2026-02-15T14:30:00.000Z'];
  const [tenant, project] = [newId('tenant', now, random.bytes(10)), newId('project', now, random.bytes(10))];
  await store.transact([], [{ key: `tenants/${tenant}`, value: { id: tenant, name: 'Bench', slug: 'bench', description: '', created_at: at } }]);
  await store.transact([], [{ key: `t/${tenant}/projects/${project}`, value: { id: project, name: 'bench', tenant_id: tenant, path: root, created_at: at, updated_at: at } }]);
  const ids = Array.from({ length: runs }, (_, n) => newId('run', now + n, random.bytes(10)));
  for (let from = 0; from < runs; from += 100) {
    await store.transact([], ids.slice(from, from + 100).map((id) => ({
      key: `t/${tenant}/runs/${id}`, value: {
        id, project_id: project, tenant_id: tenant, status: 'completed', trigger: 'api', config: { prd: 'prd.md', provider: 'claude', max_iterations: 10 }, result_summary: { iterations: 3, tasks: 5 },
        parent_run_id: null, started_at: at, ended_at: at, created_at: at,
      },
    })));
  }
  const { token } = await keyRoom(installation, log.record, store).mint({ name: 'bench', tenant, scopes: ['control'] }, { actor: 'user:bench', scopes: new Set(['admin'] as const) });
  await store.close();
  await log.close();
  return { token, project, runs: ids };
}

/** One process of the other side. */
class Peer {
  readonly child: ChildProcess;

  constructor(what: 'client' | 'bare') {
    this.child = fork(fileURLToPath(new URL(`./http-load.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)), [what]);
  }

  async ask<T>(message: LoadOrder | BareAnswer): Promise<T> {
    this.child.send(message);
    const [answer] = await once(this.child, 'message');
    return answer as T;
  }
}

/** The answer to a request as it is, less what node:http adds by itself. */
async function answerTo(port: number, method: string, path: string, headers: Readonly<Record<string, string>>, body: string): Promise<BareAnswer> {
  const request = http.request({ port, host: '127.0.0.1', method, path, headers: { ...headers, connection: 'close' } });
  request.end(body);
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  if (response.statusCode === undefined || response.statusCode >= 300) throw new Error(`${response.statusCode}: ${text}`);
  const fields = response.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 && !['date', 'connection', 'keep-alive'].includes(name.toLowerCase()) ? [name, all[at + 1] ?? ''] : []));
  return { status: response.statusCode, headers: fields, body: text };
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly paths: (served: Served) => readonly string[];
  readonly body: (served: Served) => string;
  readonly connections: number;
  readonly count: number;
}

const calls = {
  get: { method: 'GET', paths: ({ runs: ids }) => ids.map((id) => `/api/v2/runs/${id}`), body: () => '', connections: inFlight, count: 4000 },
  list: { method: 'GET', paths: () => ['/api/v2/runs?limit=50'], body: () => '', connections: inFlight, count: 1500 },
  post: {
    method: 'POST', paths: () => ['/api/v2/tasks'], connections: 32, count: 1000,
    body: ({ project }) => JSON.stringify({ project_id: project, title: 'Write the tests first', description: 'And see them fail' }),
  },
} satisfies Record<string, Call>;

interface Ground {
  /** The control plane takes the load, or bare node:http does. */
  load(whom: 'loki' | 'bare'): Promise<LoadResult>;
  readonly served: Served;
  end(): Promise<void>;
}

async function prepareGround(name: string, { method, paths, body, connections, count }: Call): Promise<Ground> {
  const served = await serve();
  const [client, bare] = [new Peer('client'), new Peer('bare')];
  const text = body(served);
  const headers: Readonly<Record<string, string>> = { Authorization: `Bearer ${served.token}`, Accept: 'application/json', ...(text === '' ? {} : { 'Content-Type': 'application/json' }) };
  const all = paths(served);
  const answer = await answerTo(served.port, method, all[0] ?? '', headers, text);
  const ports = { loki: served.port, bare: await bare.ask<number>(answer) };
  const pids = { loki: served.pid, bare: bare.child.pid ?? 0 };
  const spent = { loki: { cpu: 0, requests: 0 }, bare: { cpu: 0, requests: 0 } };
  const requestsTo = (port: number): readonly string[] => {
    const fields = Object.entries({ Host: `127.0.0.1:${port}`, ...headers, ...(text === '' ? {} : { 'Content-Length': String(text.length) }) }).map(([field, value]) => `${field}: ${value}\r\n`);
    return all.map((path) => `${method} ${path} HTTP/1.1\r\n${fields.join('')}\r\n${text}`);
  };
  // What is measured is a server that has been at work for a while.
  for (const port of [ports.loki, ports.bare]) await client.ask<LoadResult>({ port, connections, count: count * warmUp, requests: requestsTo(port), status: answer.status });
  return {
    served,
    async load(whom) {
      const before = cpuOf(pids[whom]);
      const result = await client.ask<LoadResult>({ port: ports[whom], connections, count, requests: requestsTo(ports[whom]), status: answer.status });
      spent[whom].cpu += cpuOf(pids[whom]) - before;
      spent[whom].requests += count;
      return result;
    },
    async end() {
      const each = ({ cpu, requests }: { readonly cpu: number; readonly requests: number }): string => (requests === 0 ? '-' : `${Math.round((cpu * 1000) / requests)} us`);
      console.error(`${name}: processor time a request: control plane ${each(spent.loki)}, bare ${each(spent.bare)}`);
      client.child.disconnect();
      bare.child.disconnect();
      await served.end();
    },
  };
}

/** Milliseconds of processor time that a process has taken; 0 where nobody tells. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

function loaded(name: string, ground: Ground, whom: 'loki' | 'bare', { count }: Call): Subject {
  return { name, run: async (): Promise<Done> => ({ microseconds: ((await ground.load(whom)).took * 1000) / count }) };
}

function throughput(name: string, call: Call, share: number, what: string): Bench {
  return {
    name, unit: 'requests', rounds: 15, promise: { kind: 'at least', share },
    async prepare() {
      const ground = await prepareGround(name, call);
      return { subject: loaded(what, ground, 'loki', call), floor: loaded('bare node:http, the same answer', ground, 'bare', call), clean: () => ground.end() };
    },
  };
}

/** What a task takes in the journal, about. */
const written = Buffer.alloc(400, 'x');

/** Each fdatasync stands for one request that is durable before its answer; many share one. */
const posting: Bench = {
  name: 'api-post', unit: 'requests', rounds: 15, promise: { kind: 'at least', share: 0.33 },
  async prepare() {
    const ground = await prepareGround('api-post', calls.post);
    const file = openSync(join(ground.served.root, 'floor'), 'a');
    return {
      subject: loaded('POST of a task, durable and on record, 32 in flight', ground, 'loki', calls.post),
      floor: {
        name: 'write and fdatasync, one after the other',
        run() {
          for (let n = 0; n < 100; n += 1) {
            writeSync(file, written);
            fdatasyncSync(file);
          }
          return 100;
        },
      },
      async clean() {
        closeSync(file);
        await ground.end();
      },
    };
  },
};

/** The slowest of a hundred against the one in the middle, and the same of bare node:http beside it: a machine that does other things delays both. */
function tail(name: string, call: Call): Bench {
  return {
    name, unit: 'answers', rounds: 15, promise: { kind: 'at most', times: 4 },
    async prepare() {
      const ground = await prepareGround(name, call);
      const pair = (whom: 'loki' | 'bare', who: string): { readonly subject: Subject; readonly floor: Subject } => {
        let median = 0;
        return {
          subject: {
            name: `99th of 100 of ${who}`,
            async run() {
              const result = await ground.load(whom);
              median = result.median;
              return { microseconds: result.p99 * 1000 };
            },
          },
          floor: { name: `median of ${who}`, run: () => ({ microseconds: median * 1000 }) },
        };
      };
      return { ...pair('loki', 'the control plane'), beside: pair('bare', 'bare node:http'), clean: () => ground.end() };
    },
  };
}

const idleMs = 10_000;
const mostMegabytes = 90;

/** A control plane that nobody asks anything, a while after its start. One that has worked keeps what the collector has not given back. */
const idle: Bench = {
  name: 'api-idle', unit: 'idle seconds', rounds: 1, promise: { kind: 'at most plus', milliseconds: 5 },
  async prepare() {
    const ground = await prepareGround('api-idle', { ...calls.get, connections: 1, count: 1 });
    const resting = (name: string, pid: number): Subject => ({
      name,
      async run() {
        await new Promise((resolve) => { setTimeout(resolve, 1000); });
        const before = cpuOf(pid);
        await new Promise((resolve) => { setTimeout(resolve, idleMs); });
        return { microseconds: ((cpuOf(pid) - before) * 1000) / (idleMs / 1000) };
      },
    });
    const { pid } = ground.served;
    const megabytes = (): number => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
    return {
      subject: resting('processor time of the control plane a second', pid),
      floor: { name: 'none', run: () => ({ microseconds: 0 }) },
      async clean() {
        const taken = megabytes();
        console.error(`api-idle: ${taken} MB resident`);
        await ground.end();
        if (taken > mostMegabytes) throw new Error(`the idle control plane takes ${taken} MB; at most ${mostMegabytes} are promised`);
      },
    };
  },
};

export const apiBenches: readonly Bench[] = [
  throughput('api-get', calls.get, 0.45, 'GET of a run, with a key, a tenant, an allowance and a record'),
  throughput('api-list', calls.list, 0.35, 'a list of 50 runs, the same'),
  posting, tail('api-get-tail', calls.get), tail('api-post-tail', calls.post), idle,
];
