/** Tries a receiver step by step, as forwarding would reach it, and says in words what came back. */
import { messageOf } from '../../errors.ts';
import type { PresentedCertificate } from '../../ports.ts';
import { facilityCodes, octetCounted, rfc3164, rfc5424, type SyslogMessage } from '../../formats/syslog.ts';
import { eventText, hecEndpoint, hostOf, judge, postEvents, type HecOptions } from './hec-receiver.ts';
import type { Outgoing } from './message.ts';
import { reachable, withAny } from './receiver.ts';
import { connectTimeoutMs, syslogName, usualStallMs, type SyslogReceiverOptions } from './syslog-receiver.ts';

/** One thing that was tried. */
export interface ProbeStep {
  readonly step: 'address' | 'certificate' | 'message';
  readonly ok: boolean;
  readonly said: string;
}

/** A receiver, tried. It ends with the first step that fails. */
export interface ProbeReport {
  readonly receiver: string;
  readonly ok: boolean;
  readonly steps: readonly ProbeStep[];
}

/** Who asks, and when. */
export interface ProbeSender {
  readonly hostname: string;
  readonly pid: number;
  readonly now: number;
}

const settleMs = 5_000;
const dayMs = 86_400_000;
/** A certificate that ends sooner is worth a word. */
const soonDays = 21;

type Try = readonly [step: ProbeStep['step'], act: () => Promise<string>];

async function probe(receiver: string, tries: readonly Try[]): Promise<ProbeReport> {
  const steps: ProbeStep[] = [];
  for (const [step, act] of tries) {
    try {
      steps.push({ step, ok: true, said: await act() });
    } catch (error) {
      steps.push({ step, ok: false, said: messageOf(error) });
      return { receiver, ok: false, steps };
    }
  }
  return { receiver, ok: true, steps };
}

function testMessage({ style: { facility } }: SyslogReceiverOptions, { hostname, pid, now }: ProbeSender): SyslogMessage {
  return {
    facility: facilityCodes[facility], severity: 6, time: now, host: hostname, app: 'loki', processId: String(pid), messageId: 'loki.test', data: [],
    text: `Test message from Loki Enterprise on ${hostname}: forwarding reaches this place`,
  };
}

export function probeSyslog(options: SyslogReceiverOptions, sender: ProbeSender): Promise<ProbeReport> {
  const { host, port, protocol, sockets, style } = options;
  let addresses: readonly string[] = [];
  const message = testMessage(options, sender);
  const bytes = style.form === 'rfc5424' ? rfc5424(message) : rfc3164(message);
  const resolving: Try = ['address', async () => {
    addresses = await reachable(options, host);
    return addresses.includes(host) ? `${host} may be reached` : `${host} is ${addresses.join(' and ')}`;
  }];
  const looking: Try = ['certificate', async () => {
    const pem = options.readPem();
    const certificate = await withAny(addresses, (address) => sockets.inspect({ address, port, timeoutMs: connectTimeoutMs, tls: { name: host, ...pem } }));
    if (certificate.refused !== undefined) throw new Error(`Cannot believe the server: ${certificate.refused}; ${certificateWords(certificate, sender.now)}`);
    return certificateWords(certificate, sender.now);
  }];
  const sending: Try = ['message', async () => {
    if (protocol === 'udp') return withAny(addresses, (address) => sendDatagram(options, address, bytes));
    const tls = protocol === 'tls' ? { tls: { name: host, ...options.readPem() } } : {};
    const connection = await withAny(addresses, (address) => sockets.connect({ address, port, timeoutMs: connectTimeoutMs, stallMs: usualStallMs, ...tls }));
    await connection.write(octetCounted(bytes));
    return await connection.end(settleMs)
      ? 'sent, and the server ended the connection in order: it has read the message'
      : `sent; the server did not end the connection within ${settleMs / 1000} seconds, so whether it read the message can only be seen there`;
  }];
  return probe(`syslog ${syslogName(options)}`, [resolving, ...protocol === 'tls' ? [looking] : [], sending]);
}

async function sendDatagram({ sockets, port }: SyslogReceiverOptions, address: string, bytes: Uint8Array): Promise<string> {
  const socket = await sockets.datagrams(address, port);
  try {
    await socket.send(bytes);
    await socket.settled();
    return 'sent; UDP is never answered, and loses messages without a word: whether it arrived can only be seen at the server. tcp or tls lose nothing';
  } finally {
    socket.close();
  }
}

function certificateWords({ subject, names, issuer, validTo, protocol }: PresentedCertificate, now: number): string {
  const end = Date.parse(validTo);
  const days = Math.floor((end - now) / dayMs);
  const until = Number.isNaN(end) ? validTo : new Date(end).toISOString().slice(0, 10);
  const soon = days < soonDays ? ` (${days < 0 ? 'over' : `in ${days} days`})` : '';
  return `${protocol}; the certificate is for ${subject || 'nobody by name'}${names === '' ? '' : ` (${names})`}, signed by ${issuer}, valid until ${until}${soon}`;
}

export function probeHec(options: HecOptions, sender: ProbeSender): Promise<ProbeReport> {
  const host = hostOf(options.url);
  const test = { test: true, message: `Test event from Loki Enterprise on ${sender.hostname}: forwarding reaches this place` };
  const outgoing: Outgoing = {
    seq: -1, time: sender.now, event: 'loki.test', severity: 6, host: sender.hostname, pid: String(sender.pid), chainHash: '', text: JSON.stringify(test), entry: test, sha256: '', bytes: 0,
  };
  return probe(`splunk ${hecEndpoint(options.url)}`, [
    ['address', async () => `${host} is ${(await reachable(options, host)).join(' and ')}`],
    ['message', async () => {
      const answer = await postEvents(eventText({ outgoing, whole: true }, options), options);
      if ('kind' in answer) throw new Error(answer.kind === 'failed' ? answer.found : '');
      const judged = judge(answer, 1);
      if (judged.kind !== 'taken') throw new Error(`Cannot send an event: ${judged.found}${answerHints[answer.status] ?? ''}`);
      return `the collector took the event (status ${answer.status})`;
    }],
  ]);
}

const answerHints: { readonly [status: number]: string } = {
  400: '; does the token allow the index?', 401: '; the token is missing', 403: '; the token is wrong or disabled', 404: '; is the address that of a HTTP Event Collector?',
};
