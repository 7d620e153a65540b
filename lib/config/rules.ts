/**
 * What settings mean for each other: values that follow from others when nobody wrote them, and combinations that cannot
 * work or would be unsafe.
 */
import { join } from '../base/paths.ts';
import { layers } from './config.ts';
import type { Origin } from './config.ts';
import { isLoopback, path } from './kinds.ts';
import { telemetrySection, withAbsolutePaths, type TelemetryConfig } from './sections/telemetry.ts';
import type { Setting } from './setting.ts';

/** An effective value and where it came from. */
export interface Resolved {
  readonly value: unknown;
  readonly origin: Origin;
}

/** Effective values by key. */
export type Resolution = Map<string, Resolved>;

/** What the resolver is told about the machine. */
export interface MachineFacts {
  readonly hostname: string;
  /** Absolute path of the user's home directory. */
  readonly homeDir: string;
  /** Every event name of the log of record, so that `exclude_events` can be checked; unchecked when left out. */
  readonly eventNames?: readonly string[];
}

/** Fills in what follows from other values. */
export function derive(resolution: Resolution, table: readonly Setting<unknown>[], facts: MachineFacts): void {
  for (const setting of table) {
    const resolved = resolution.get(setting.key);
    if (setting.kind === path && typeof resolved?.value === 'string') {
      resolution.set(setting.key, { ...resolved, value: absolute(resolved.value, facts.homeDir) });
    }
  }
  const receivers = resolution.get(telemetrySection.destinations.key);
  // The row's own kind has made the value.
  if (receivers !== undefined) resolution.set(telemetrySection.destinations.key, { ...receivers, value: withAbsolutePaths(receivers.value as TelemetryConfig['destinations'], (given) => absolute(given, facts.homeDir)) });
  replaceDefault(resolution, 'enterprise.audit.origin', facts.hostname.replace(/[\s+]/g, '-') || 'localhost');
  if (valueOf(resolution, 'enterprise.siem.syslog.protocol') === 'tls') replaceDefault(resolution, 'enterprise.siem.syslog.port', 6514);
  if (isReachedFromElsewhere(resolution)) replaceDefault(resolution, 'enterprise.server.drain', remoteDrainMs);
  switchOn(resolution, 'enterprise.audit.syslog_enabled', 'enterprise.siem.syslog.host');
  switchOn(resolution, 'enterprise.audit.encrypt', 'enterprise.audit.key');
  switchOn(resolution, 'enterprise.audit.encrypt', 'enterprise.audit.key_file');
}

/** A balancer that looks every few seconds has noticed by then. */
const remoteDrainMs = 5000;

function isReachedFromElsewhere(resolution: Resolution): boolean {
  const [host, proxies] = [valueOf(resolution, 'enterprise.server.host'), valueOf(resolution, 'enterprise.server.trusted_proxies')];
  return (typeof host === 'string' && !isLoopback(host)) || (Array.isArray(proxies) && proxies.length > 0);
}

/** A path with `~/` put at the home directory. */
export function absolute(given: string, homeDir: string): string {
  return given.startsWith('~/') ? join(homeDir, given.slice(2)) : given;
}

/** A combination that cannot be used. `keys` are the settings it is about, the one to correct first. */
export interface Conflict {
  readonly keys: readonly string[];
  readonly message: string;
  readonly hint: string;
}

type Rule = (value: (key: string) => unknown) => Conflict | undefined;

const rules: readonly Rule[] = [
  needs('enterprise.server.tls.cert', 'enterprise.server.tls.key'),
  needs('enterprise.server.tls.key', 'enterprise.server.tls.cert'),
  needs('enterprise.siem.syslog.cert', 'enterprise.siem.syslog.key'),
  needs('enterprise.siem.syslog.key', 'enterprise.siem.syslog.cert'),
  needs('enterprise.siem.splunk.hec_url', 'enterprise.siem.splunk.hec_token'),
  needs('enterprise.siem.splunk.hec_token', 'enterprise.siem.splunk.hec_url'),
  needs('enterprise.auth.oidc.issuer', 'enterprise.auth.oidc.client_id'),
  needs('enterprise.auth.oidc.client_id', 'enterprise.auth.oidc.issuer'),
  needs('integrations.jira.url', 'integrations.jira.email', 'integrations.jira.token'),
  syslogNeedsHost,
  oneKeyOnly,
  listensOnlyWithAuthentication,
  proxiesOnlyWithAuthentication,
];

/** Every conflict among the values, in the order of the rules. */
export function conflicts(resolution: Resolution): readonly Conflict[] {
  return rules.map((rule) => rule((key) => valueOf(resolution, key))).filter((conflict) => conflict !== undefined);
}

function needs(key: string, ...others: readonly string[]): Rule {
  return (value) => {
    const missing = others.filter((other) => value(other) === undefined);
    if (value(key) === undefined || missing.length === 0) return undefined;
    const names = missing.join(' and ');
    return { keys: [key, ...missing], message: `${key} is set without ${names}`, hint: `Set ${names} too, or remove ${key}` };
  };
}

function syslogNeedsHost(value: (key: string) => unknown): Conflict | undefined {
  const [enabled, host] = ['enterprise.audit.syslog_enabled', 'enterprise.siem.syslog.host'] as const;
  if (value(enabled) !== true || value(host) !== undefined) return undefined;
  return { keys: [enabled, host], message: `${enabled} is true without ${host}`, hint: `Set ${host} or LOKI_AUDIT_SYSLOG_HOST` };
}

function oneKeyOnly(value: (key: string) => unknown): Conflict | undefined {
  const [key, file] = ['enterprise.audit.key', 'enterprise.audit.key_file'] as const;
  if (value(key) === undefined || value(file) === undefined) return undefined;
  return { keys: [key, file], message: 'LOKI_AUDIT_KEY and LOKI_AUDIT_KEY_FILE are both set', hint: 'Keep one of the two' };
}

function listensOnlyWithAuthentication(value: (key: string) => unknown): Conflict | undefined {
  const [key, auth] = ['enterprise.server.host', 'enterprise.auth.enabled'] as const;
  const host = value(key);
  if (typeof host !== 'string' || isLoopback(host) || value(auth) === true) return undefined;
  return {
    keys: [key, auth],
    message: `${key} is "${host}", which others can reach, without ${auth}`,
    hint: 'Switch authentication on (LOKI_ENTERPRISE_AUTH=true), or listen on 127.0.0.1',
  };
}

function proxiesOnlyWithAuthentication(value: (key: string) => unknown): Conflict | undefined {
  const [key, auth] = ['enterprise.server.trusted_proxies', 'enterprise.auth.enabled'] as const;
  const proxies = value(key);
  if (!Array.isArray(proxies) || proxies.length === 0 || value(auth) === true) return undefined;
  return { keys: [key, auth], message: `${key} lets others in through a proxy, without ${auth}`, hint: 'Switch authentication on (LOKI_ENTERPRISE_AUTH=true), or remove the proxies' };
}

function valueOf(resolution: Resolution, key: string): unknown {
  return resolution.get(key)?.value;
}

function replaceDefault(resolution: Resolution, key: string, value: unknown): void {
  const resolved = resolution.get(key);
  if (resolved?.origin.layer === 'default') resolution.set(key, { ...resolved, value });
}

/** `cause` being given switches `key` on, unless a layer at least as strong as that of `cause` says otherwise. */
function switchOn(resolution: Resolution, key: string, cause: string): void {
  const [switched, given] = [resolution.get(key), resolution.get(cause)];
  if (switched === undefined || given?.value === undefined || switched.value === true) return;
  const stronger = layers.indexOf(given.origin.layer) < layers.indexOf(switched.origin.layer);
  if (stronger) resolution.set(key, { value: true, origin: given.origin });
}
