/** Receivers on loopback that take messages apart as the RFCs say, and a forwarder over a log on a disk in memory. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer, type RequestListener } from 'node:http';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDisk } from '../../../lib/host/durable.ts';
import { sockets } from '../../../lib/host/sockets.ts';
import type { AuditEvent } from '../../../lib/audit/entry.ts';
import type { ForwarderOptions } from '../../../lib/audit/forward/forwarder.ts';
import type { Receiver } from '../../../lib/audit/forward/receiver.ts';
import { createSyslogReceiver, type SyslogReceiverOptions } from '../../../lib/audit/forward/syslog-receiver.ts';
import type { Disk } from '../../../lib/ports.ts';
import { createTestClock, createTestLock, createTestRandom, realTimers, type TestClock } from '../../support/fakes.ts';
import { createFaultFiles } from '../../support/fault-files.ts';
import { packageRoot } from '../../support/root.ts';
import { directory, home, logOn } from '../support.ts';

interface Ends { after(undo: () => void | Promise<void>): void }

export function pem(name: string): string {
  return readFileSync(join(packageRoot, 'fixtures/siem', name), 'utf8');
}

/** What a stream receiver does besides reading. */
export interface Behaviour {
  readonly port?: number;
  readonly tls?: tls.TlsOptions;
  /** Called with the count of messages so far, this connection's and all; `break` resets the connection at once. */
  readonly onMessage?: (all: number, here: number) => 'break' | undefined;
  /** Does not end its side when the sender has ended. */
  readonly staysOpen?: boolean;
  /** Takes a rest after each piece it reads. */
  readonly slow?: boolean;
  /** Reads nothing. */
  readonly deaf?: boolean;
}

export interface StreamReceiver {
  readonly port: number;
  readonly messages: readonly string[];
  readonly connections: () => number;
  close(): Promise<void>;
}

/** Listens for octet-counted messages. Throws in the test when a frame is none. */
export async function receiveStream(t: Ends, behaviour: Behaviour = {}): Promise<StreamReceiver> {
  const messages: string[] = [];
  const open = new Set<net.Socket>();
  let connections = 0;
  const serve = (socket: net.Socket): void => {
    connections += 1;
    let rest: Buffer = Buffer.alloc(0);
    let here = 0;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    if (behaviour.deaf === true) { socket.pause(); return; }
    socket.on('data', (part: Buffer) => {
      if (behaviour.slow === true) { socket.pause(); setTimeout(() => socket.resume(), 10); }
      rest = Buffer.concat([rest, part]);
      for (let frame = nextFrame(rest); frame !== undefined; frame = nextFrame(rest)) {
        rest = frame.rest;
        here += 1;
        messages.push(frame.message);
        if (behaviour.onMessage?.(messages.length, here) === 'break') { socket.resetAndDestroy(); return; }
      }
    });
    socket.on('end', () => { if (behaviour.staysOpen !== true) socket.end(); });
  };
  const server = behaviour.tls === undefined ? net.createServer({ allowHalfOpen: true }, serve) : tls.createServer({ ...behaviour.tls, allowHalfOpen: true }, serve);
  server.on('tlsClientError', () => undefined);
  // Also those that never become a stream, because the handshake fails.
  server.on('connection', (socket: net.Socket) => { open.add(socket); socket.on('close', () => open.delete(socket)); });
  await new Promise<void>((done) => { server.listen(behaviour.port ?? 0, '127.0.0.1', done); });
  const close = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    if (server.listening) await new Promise((done) => { server.close(done); });
  };
  t.after(close);
  return { port: portOf(server.address()), messages, connections: () => connections, close };
}

function nextFrame(bytes: Buffer): { readonly message: string; readonly rest: Buffer } | undefined {
  const space = bytes.indexOf(' ');
  if (space < 0) return undefined;
  const length = bytes.toString('latin1', 0, space);
  assert.match(length, /^[1-9]\d{0,5}$/);
  const end = space + 1 + Number(length);
  return bytes.length < end ? undefined : { message: bytes.toString('utf8', space + 1, end), rest: bytes.subarray(end) };
}

export async function receiveDatagrams(t: Ends): Promise<{ readonly port: number; readonly messages: readonly string[]; close(): void }> {
  const messages: string[] = [];
  const socket = createSocket('udp4').on('message', (bytes) => { messages.push(bytes.toString('utf8')); });
  await new Promise<void>((done) => { socket.bind(0, '127.0.0.1', done); });
  let open = true;
  const close = (): void => { if (open) socket.close(); open = false; };
  t.after(close);
  return { port: socket.address().port, messages, close };
}

/** An HTTP server; gives its address. */
export async function serveHttp(t: Ends, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  t.after(() => { server.closeAllConnections(); server.close(); });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  return `http://127.0.0.1:${portOf(server.address())}`;
}

function portOf(address: net.AddressInfo | string | null): number {
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** A port on which nobody listens. */
export async function deadPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const port = portOf(server.address());
  await new Promise((done) => { server.close(done); });
  return port;
}

/** The entry that a message of RFC 5424 carries, read as JSON. */
export function carried(message: string): Record<string, unknown> {
  const value: Record<string, unknown> = JSON.parse(message.slice(message.indexOf('\ufeff') + 1));
  return value;
}

/** The numbers of the entries that messages carry. */
export function seqs(messages: readonly string[]): readonly unknown[] {
  return messages.map((message) => carried(message)['seq']);
}

export function syslogTo(port: number, changes: Partial<SyslogReceiverOptions> = {}): Receiver {
  return createSyslogReceiver({
    id: 'syslog-test', host: '127.0.0.1', port, protocol: 'tcp', sockets, allowed: [], timers: realTimers, witness: () => undefined, readPem: () => ({}),
    style: { form: 'rfc5424', facility: 'local0', cef: () => 'CEF:0' }, ...changes,
  }, () => performance.now());
}

/** A log with its forwarder. */
export interface Scene {
  readonly disk: Disk;
  readonly clock: TestClock;
  /** What forwarding recorded about itself. */
  readonly recorded: AuditEvent[];
  readonly statePath: string;
  /** Appends so many entries. */
  add(count: number, details?: Record<string, string>): Promise<void>;
  options(receiver: Receiver, changes?: Partial<ForwarderOptions>): ForwarderOptions;
  /** Lines of the log, in order. */
  lines(): readonly string[];
}

export function makeScene(): Scene {
  const files = createFaultFiles();
  let count = 0;
  const disk = createDisk(files, { owner: undefined, uniqueName: () => `t${count += 1}` });
  files.makeDirectory(home, 0o700);
  const clock = createTestClock();
  const recorded: AuditEvent[] = [];
  const statePath = `${home}/spool/siem-test.json`;
  const log = logOn(disk, { clock });
  return {
    disk, clock, recorded, statePath,
    async add(number, details = {}) {
      await Promise.all(Array.from({ length: number }, (_, at) => log.append({ event: 'policy.deny', actor: 'agent:a', details: { at, ...details } })));
    },
    options: (receiver, changes = {}) => ({
      receiver, disk, clock: { now: clock.now, monotonic: () => performance.now() }, timers: realTimers, random: createTestRandom(), lock: createTestLock(), directory,
      state: { disk, base: home, path: statePath }, hostname: 'here', record: (event) => { recorded.push(event); return Promise.resolve(); }, ...changes,
    }),
    lines: () => disk.list(directory).filter((name) => name.endsWith('.jsonl')).flatMap((name) => Buffer.from(disk.read(`${directory}/${name}`, 1e9) ?? []).toString('utf8').split('\n').filter(Boolean)),
  };
}

export const soon = { deadlineMs: 20_000, lingerMs: 0 } as const;
