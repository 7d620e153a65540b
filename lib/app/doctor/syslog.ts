/** Checks of forwarding: where entries go, how far they have come, what the receiver last refused. */
import { isPlainObject } from '../../base/json.ts';
import { join } from '../../base/paths.ts';
import { parseState } from '../../audit/forward/cursor.ts';
import type { Installation } from '../installation.ts';
import { fail, ok, quoted, span, warn, type Check, type Outcome } from './check.ts';
import type { Scene } from './scene.ts';

/** Forwarding is seconds behind when all is well. */
const lateMs = 15 * 60_000;
const largestCursor = 1 << 16;
const longestWords = 300;

export const syslogChecks: readonly Check[] = [
  { name: 'settings', about: 'where entries are sent', look: settings },
  { name: 'certificates', about: 'files that TLS needs', look: certificates },
  { name: 'forwarding', about: 'how far each receiver has got', look: forwarding },
  { name: 'errors', about: 'the newest syslog.error in the log', look: errors },
];

function settings({ installation: { config }, problem }: Scene): Outcome {
  if (problem !== undefined) return fail(`the configuration cannot be used: ${problem.message}`, problem.hint);
  const { host, port, protocol, facility, format } = config.siem.syslog;
  const splunk = config.siem.splunk.hecUrl === undefined ? '' : '; Splunk HEC is set up too';
  if (host === undefined) return ok(`no syslog server is configured (LOKI_AUDIT_SYSLOG_HOST)${splunk}`);
  if (!config.audit.enabled) return fail('a server is configured, and audit logging is off: there is nothing to send', 'unset LOKI_AUDIT_DISABLED');
  const from = config.origin('enterprise.siem.syslog.host');
  const loss = protocol === 'udp' ? '; UDP tells nobody what it loses' : '';
  return ok(`${host} port ${port} over ${protocol}, ${format}, facility ${facility}, set by ${from.name}${loss}${splunk}. Try it with: loki syslog test`);
}

function certificates({ installation: { host: { disk }, config } }: Scene): Outcome {
  const { host, protocol, ca, cert, key } = config.siem.syslog;
  if (host === undefined || protocol !== 'tls') return ok('TLS is not used');
  const named = [['ca', ca], ['cert', cert], ['key', key]] as const;
  const missing = named.flatMap(([name, path]) => (path !== undefined && disk.realpath(path) === undefined ? [`${name}: ${path}`] : []));
  if (missing.length > 0) return fail(`named and not there: ${missing.join(', ')}`, 'Put the files there, or correct enterprise.siem.syslog');
  const stat = key === undefined ? undefined : disk.stat(disk.realpath(key) ?? key);
  if (key !== undefined && stat !== undefined && (stat.mode & 0o077) !== 0) return warn(`${key} can be read by others than its owner`, `chmod 600 ${quoted(key)}`);
  return ok(ca === undefined ? 'the system\'s certificates are trusted' : `servers signed by ${ca} are trusted`);
}

/** Reads what each forwarder keeps of itself; a file that says something else than expected is told, not trusted. */
function forwarding(scene: Scene): Outcome {
  const { installation, now } = scene;
  const { host: { disk }, home, config } = installation;
  const cursors = disk.list(home.spool).filter((name) => /^siem-[\w.-]{1,200}\.json$/.test(name));
  const wanted = config.siem.syslog.host !== undefined || config.siem.splunk.hecUrl !== undefined;
  if (cursors.length === 0) return wanted ? warn('nothing has been sent yet', 'loki syslog test') : ok('nothing is forwarded');
  const last = scene.recent().newest?.seq ?? 0;
  const told = cursors.slice(0, 16).map((name) => cursorOf(installation, name, last, now));
  const late = told.filter(({ isLate }) => isLate);
  const words = (late.length > 0 ? late : told).map(({ words: each }) => each).join('; ');
  if (late.length > 0 && !wanted) return ok(`${words}; no receiver is configured any more`);
  return late.length > 0 ? warn(words, 'loki syslog test, then: loki audit keep') : ok(words);
}

function cursorOf({ host: { disk }, home }: Installation, name: string, last: number, now: number): { readonly words: string; readonly isLate: boolean } {
  const path = join(home.spool, name);
  const state = parseState(Buffer.from(disk.read(path, largestCursor) ?? []).toString('utf8'));
  if (state === undefined) return { words: `${name} says nothing that is understood`, isLate: true };
  const { seq } = state.position;
  const trouble = state.trouble === undefined ? '' : `; it said: ${state.trouble.message.slice(0, longestWords)}`;
  const behind = Math.max(0, last - seq);
  const age = now - (disk.stat(path)?.modifiedMs ?? now);
  const sent = behind === 0 ? `has every entry up to ${seq}` : `has entries up to ${seq}, ${behind} behind, and moved ${span(age)} ago`;
  return { words: `${name.slice('siem-'.length, -'.json'.length)} ${sent}${trouble}`, isLate: trouble !== '' || (behind > 0 && age > lateMs) };
}

function errors(scene: Scene): Outcome {
  const { events, looked, whole } = scene.recent();
  const found = events.get('syslog.error');
  if (found === undefined) return ok(whole ? 'none' : `none in the newest ${looked} entries`);
  const { details, timestamp, level } = found.newest;
  if (level === 'info') return ok(`${found.count}, and since ${timestamp} entries are taken again`);
  const reason = isPlainObject(details) ? details['found'] : undefined;
  return warn(`${found.count}, the last at ${timestamp}${typeof reason === 'string' ? `: ${reason.slice(0, longestWords)}` : ''}`, 'loki enterprise audit tail --event syslog.error');
}
