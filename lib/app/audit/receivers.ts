/** The receivers that are configured, put together. Loaded only where there is one. */
import { LokiError } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { sockets } from '../../host/sockets.ts';
import type { Recorder } from '../../audit/entry.ts';
import { cefLine } from '../../audit/export/cef.ts';
import { forwardPass, startForwarder, tryAgainNow, type ForwarderOptions } from '../../audit/forward/forwarder.ts';
import { createHecReceiver, type HecOptions } from '../../audit/forward/hec-receiver.ts';
import { probeHec, probeSyslog, type ProbeReport } from '../../audit/forward/probe.ts';
import type { Receiver } from '../../audit/forward/receiver.ts';
import { createSyslogReceiver, type SyslogReceiverOptions } from '../../audit/forward/syslog-receiver.ts';
import { createWitness } from '../../audit/forward/witness.ts';
import { lockPath, receiverIds, statePath } from './forwarding.ts';
import type { Installation } from '../installation.ts';
import { openEntries } from './protection.ts';
import { refusedHost } from '../residency.ts';

export { forwardPass, startForwarder };

/** Certificates and keys are read up to this size. */
const largestPem = 1 << 20;

/** What a forwarder for each receiver is made of. */
export function forwarders(installation: Installation, record: Recorder): readonly ForwarderOptions[] {
  const { host } = installation;
  const syslog = syslogOptions(installation);
  const splunk = hecOptions(installation);
  const receivers = [
    ...(syslog === undefined ? [] : [createSyslogReceiver(syslog, () => host.clock.monotonic())]),
    ...(splunk === undefined ? [] : [createHecReceiver(splunk)]),
  ];
  return receivers.map((receiver) => forwarderFor(installation, receiver, record));
}

function forwarderFor(installation: Installation, receiver: Receiver, record: Recorder): ForwarderOptions {
  const { host: { disk, clock, timers, random, facts, lock }, home } = installation;
  return {
    receiver, disk, clock, timers, random, record, hostname: facts.hostname, directory: home.audit,
    openEntries: () => { const opener = openEntries(installation); return (entry) => opener.open(entry); },
    lock: lock(lockPath(installation, receiver.id)), state: { disk, base: home.home, path: statePath(installation, receiver.id) },
  };
}

/** Tries every receiver. One that answers is served again at once, whatever was being waited for. */
export async function probeReceivers(installation: Installation): Promise<readonly ProbeReport[]> {
  const { host: { clock, facts } } = installation;
  const sender = { hostname: facts.hostname, pid: facts.pid, now: clock.now() };
  const syslog = syslogOptions(installation);
  const splunk = hecOptions(installation);
  const reports = await Promise.all([
    ...(syslog === undefined ? [] : [probeSyslog(syslog, sender)]),
    ...(splunk === undefined ? [] : [probeHec(splunk, sender)]),
  ]);
  for (const forwarder of forwarders(installation, () => Promise.resolve({ seq: null, chain_hash: null }))) {
    if (reports.some(({ receiver, ok }) => ok && receiver === forwarder.receiver.name)) await tryAgainNow(forwarder).catch(() => undefined);
  }
  return reports;
}

function syslogOptions(installation: Installation): SyslogReceiverOptions | undefined {
  const { config: { siem: { syslog }, egress }, host: { timers } } = installation;
  const { syslog: id } = receiverIds(installation.config);
  if (id === undefined || syslog.host === undefined) return undefined;
  return {
    id, host: syslog.host, port: syslog.port, protocol: syslog.protocol, sockets, allowed: egress.allowInternal, refused: refusedHost(installation), timers, witness: witnessOf(installation),
    style: { form: syslog.format, facility: syslog.facility, cef: cefLine },
    readPem: () => ({ ...readPem(installation, 'ca'), ...readPem(installation, 'cert'), ...readPem(installation, 'key') }),
  };
}

function hecOptions(installation: Installation): HecOptions | undefined {
  const { config: { siem: { splunk }, egress } } = installation;
  const { splunk: id } = receiverIds(installation.config);
  if (id === undefined || splunk.hecUrl === undefined || splunk.hecToken === undefined) return undefined;
  return { id, url: splunk.hecUrl, token: splunk.hecToken, index: splunk.index, sourcetype: splunk.sourcetype, sockets, allowed: egress.allowInternal, refused: refusedHost(installation), witness: witnessOf(installation) };
}

function witnessOf({ host: { disk }, home }: Installation): SyslogReceiverOptions['witness'] {
  return createWitness(disk, home.home, join(home.tlog, 'checkpoint'));
}

/** Read anew for each connection: certificates are renewed while a process runs. */
function readPem({ config, host: { disk } }: Installation, name: 'ca' | 'cert' | 'key'): { readonly [kind in 'ca' | 'cert' | 'key']?: string } {
  const path = config.siem.syslog[name];
  if (path === undefined) return {};
  const bytes = disk.read(path, largestPem);
  if (bytes === undefined) throw new LokiError('config.invalid', { attempted: `use enterprise.siem.syslog.${name}`, found: `"${path}" does not exist`, hint: 'Name a PEM file that this user can read' });
  return { [name]: Buffer.from(bytes).toString('utf8') };
}
