/**
 * Settings of the control plane and of records that leave this machine (`enterprise.siem`, `auth`, `server`, `egress`,
 * `store`; telemetry's are in `telemetry.ts`), and of where the command line finds its files and its control plane. A project may set
 * none of them but one: it may demand authentication.
 */
import { formatDuration } from '../../base/duration.ts';
import type { Secret } from '../../base/secret.ts';
import {
  addressOrBlock, boolean, duration, host, hostAndPort, hostOrBlock, integer, listOf, name, oneOf, onlyOn, origin, path, secretText, text, url,
} from '../kinds.ts';
import type { Section } from '../setting.ts';

/** Forwarding of entries to a syslog server. */
export interface SyslogConfig {
  /** A host means enabled, unless a layer at least as strong says otherwise. */
  readonly enabled: boolean;
  readonly host: string | undefined;
  readonly port: number;
  readonly protocol: 'udp' | 'tcp' | 'tls';
  readonly facility: SyslogFacility;
  readonly format: 'rfc5424' | 'rfc3164' | 'cef';
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Facility names of RFC 5424 section 6.2.1 as syslog.conf writes them. */
export type SyslogFacility =
  | 'kern' | 'user' | 'daemon' | 'auth' | 'syslog' | 'authpriv'
  | 'local0' | 'local1' | 'local2' | 'local3' | 'local4' | 'local5' | 'local6' | 'local7';

const never = 'never' as const;
const unset = 'unset';

/** One row a field of `SyslogConfig`. */
export const syslogSection: Section<SyslogConfig> = {
  enabled: {
    key: 'enterprise.audit.syslog_enabled', kind: boolean, default: false, defaultWords: '`true` once a host is given, else `false`', project: never,
    meaning: 'Whether entries are forwarded to the syslog server. Enabled without a host is an error',
  },
  host: {
    key: 'enterprise.siem.syslog.host', env: [{ name: 'LOKI_AUDIT_SYSLOG_HOST' }], kind: host, default: undefined, defaultWords: unset, project: never,
    meaning: 'Syslog server. Giving one enables forwarding',
  },
  port: {
    key: 'enterprise.siem.syslog.port', env: [{ name: 'LOKI_AUDIT_SYSLOG_PORT' }], kind: integer(1, 65_535), default: 514,
    defaultWords: '`514`, with `tls` `6514`', project: never, meaning: 'Its port',
  },
  protocol: {
    key: 'enterprise.siem.syslog.protocol', env: [{ name: 'LOKI_AUDIT_SYSLOG_PROTO' }], kind: oneOf('udp', 'tcp', 'tls'), default: 'udp',
    project: never, meaning: 'Transport',
  },
  facility: {
    key: 'enterprise.siem.syslog.facility', env: [{ name: 'LOKI_SYSLOG_FACILITY' }],
    kind: oneOf<SyslogFacility>('kern', 'user', 'daemon', 'auth', 'syslog', 'authpriv',
      'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'),
    default: 'local0', project: never, meaning: 'Facility of each message',
  },
  format: {
    key: 'enterprise.siem.syslog.format', env: [{ name: 'LOKI_SYSLOG_FORMAT' }], kind: oneOf('rfc5424', 'rfc3164', 'cef'), default: 'rfc5424',
    project: never, meaning: 'Form of each message',
  },
  ca: { key: 'enterprise.siem.syslog.ca', kind: path, default: undefined, defaultWords: unset, project: never, meaning: 'File with the certificates that sign the server\'s (PEM)' },
  cert: { key: 'enterprise.siem.syslog.cert', kind: path, default: undefined, defaultWords: unset, project: never, meaning: 'File with our certificate (PEM); needs `key`' },
  key: { key: 'enterprise.siem.syslog.key', kind: path, default: undefined, defaultWords: unset, project: never, meaning: 'File with the key of that certificate (PEM)' },
};

/** Deliveries to a Splunk HTTP Event Collector. */
export interface SplunkConfig {
  readonly hecUrl: string | undefined;
  readonly hecToken: Secret | undefined;
  readonly index: string | undefined;
  readonly sourcetype: string;
}

/** One row a field of `SplunkConfig`. */
export const splunkSection: Section<SplunkConfig> = {
  hecUrl: {
    key: 'enterprise.siem.splunk.hec_url', env: [{ name: 'LOKI_SPLUNK_HEC_URL' }], kind: url(), default: undefined, defaultWords: unset, project: never,
    meaning: 'Address of the collector; needs `hec_token`',
  },
  hecToken: {
    key: 'enterprise.siem.splunk.hec_token', env: [{ name: 'LOKI_SPLUNK_HEC_TOKEN' }], kind: secretText, default: undefined, defaultWords: unset,
    secret: true, project: never, meaning: 'Its token',
  },
  index: { key: 'enterprise.siem.splunk.index', kind: name, default: undefined, defaultWords: 'the token\'s own', project: never, meaning: 'Index to write to' },
  sourcetype: {
    key: 'enterprise.siem.splunk.sourcetype', kind: text('a source type without spaces', /^[^\s]{1,100}$/), default: 'loki:audit', project: never,
    meaning: 'Source type of the events',
  },
};

/** Certificate of the control plane. */
export interface TlsConfig {
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** One row a field of `TlsConfig`. */
export const tlsSection: Section<TlsConfig> = {
  cert: {
    key: 'enterprise.server.tls.cert', env: [{ name: 'LOKI_TLS_CERT' }], kind: path, default: undefined, defaultWords: unset, project: never,
    meaning: 'File with the certificate chain (PEM). With `key`: HTTPS only',
  },
  key: {
    key: 'enterprise.server.tls.key', env: [{ name: 'LOKI_TLS_KEY' }], kind: path, default: undefined, defaultWords: unset, project: never,
    meaning: 'File with its key (PEM)',
  },
};

/** Where the control plane listens and whom it answers. */
export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Empty: only the control plane's own page. */
  readonly corsOrigins: readonly string[];
  /** Names beside loopback that a Host header may carry. */
  readonly allowedHosts: readonly string[];
  /** Addresses and blocks of the proxies that say for whom they ask. */
  readonly trustedProxies: readonly string[];
  /** Milliseconds between saying that it will end and taking no more connections. */
  readonly drain: number;
  /** Reads a minute a principal; 0: no limit. */
  readonly rateLimit: number;
  /** Who may read `/metrics`. */
  readonly metrics: 'open' | 'read' | 'off';
}

/** One row a field of `ServerConfig`. */
export const serverSection: Section<ServerConfig> = {
  host: {
    key: 'enterprise.server.host', env: [{ name: 'LOKI_HOST' }], flag: '--host', kind: host, default: '127.0.0.1', project: never,
    meaning: 'Address the control plane listens on. Beyond loopback only with `enterprise.auth.enabled`',
  },
  port: {
    key: 'enterprise.server.port', env: [{ name: 'LOKI_PORT' }], flag: '--port', kind: integer(0, 65_535), default: 57_374, project: never,
    meaning: 'Its port; `0` takes a free one',
  },
  corsOrigins: {
    key: 'enterprise.server.cors_origins', env: [{ name: 'LOKI_CORS_ORIGINS' }], kind: listOf(origin), default: [], defaultWords: 'loopback', project: never,
    meaning: 'Exact list of further origins whose pages may call the API',
  },
  allowedHosts: {
    key: 'enterprise.server.allowed_hosts', env: [{ name: 'LOKI_ALLOWED_HOSTS' }], kind: listOf(hostAndPort), default: [], defaultWords: 'loopback',
    project: never, meaning: 'Exact list of further names that a Host header may carry',
  },
  trustedProxies: {
    key: 'enterprise.server.trusted_proxies', env: [{ name: 'LOKI_TRUSTED_PROXIES' }], kind: listOf(addressOrBlock), default: [], defaultWords: 'none', project: never,
    meaning: 'Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Only with `enterprise.auth.enabled`',
  },
  drain: {
    key: 'enterprise.server.drain', kind: duration('0s', '10m'), default: 0, defaultWords: '`0s`; beyond loopback, or behind a proxy, `5s`', project: never, show: formatDuration,
    meaning: 'How long `/health/ready` says 503, and connections are still taken, before the control plane ends',
  },
  rateLimit: {
    key: 'enterprise.server.rate_limit', env: [{ name: 'LOKI_API_RATE_LIMIT' }], kind: integer(0, 1_000_000), default: 600, project: never,
    meaning: 'Reads a minute a principal; writes a fifth, authentication a thirtieth; `0` switches it off',
  },
  metrics: {
    key: 'enterprise.server.metrics', kind: oneOf('open', 'read', 'off'), default: 'open', project: never,
    meaning: 'Who may read `/metrics`: whoever reaches the control plane, who has the scope `read`, or nobody',
  },
};

/** Settings of which each stands alone in its part. */
export interface SingleConfig {
  readonly authEnabled: boolean;
  readonly allowInternal: readonly string[];
  readonly store: 'embedded';
}

/** One row a field of `SingleConfig`. */
export const singleSection: Section<SingleConfig> = {
  authEnabled: {
    key: 'enterprise.auth.enabled', env: [{ name: 'LOKI_ENTERPRISE_AUTH' }], kind: boolean, default: false, project: onlyOn,
    meaning: 'Whether the control plane asks everybody for a key or a sign-on',
  },
  allowInternal: {
    key: 'enterprise.egress.allow_internal', env: [{ name: 'LOKI_ALLOWED_INTERNAL_HOSTS' }], kind: listOf(hostOrBlock), default: [], project: never,
    meaning: 'Hosts, addresses and blocks that deliveries may reach although they are link-local, a metadata service or the like; webhooks also private ones',
  },
  store: {
    key: 'enterprise.store', env: [{ name: 'LOKI_STORE' }], kind: oneOf('embedded'), default: 'embedded', project: never,
    meaning: 'Where projects, runs and keys are kept',
  },
};

/** Where the program's files are, and which control plane the command line talks to. From the environment only. */
export interface ClientConfig {
  readonly home: string;
  readonly managedPolicy: string | undefined;
  /** Undefined: the control plane on this machine. */
  readonly url: string | undefined;
  readonly token: Secret | undefined;
}

/** One row a field of `ClientConfig`. */
export const clientSection: Section<ClientConfig> = {
  home: {
    key: 'home', env: [{ name: 'LOKI_HOME' }], kind: path, default: '~/.loki', environmentOnly: true, project: never,
    meaning: 'Directory of the log of record, the store and the keys',
  },
  managedPolicy: {
    key: 'managed_policy', env: [{ name: 'LOKI_MANAGED_POLICY' }], kind: path, default: undefined, defaultWords: unset, environmentOnly: true, project: never,
    meaning: 'One more organisation policy. Named and missing: every action is denied',
  },
  url: {
    key: 'client.url', env: [{ name: 'LOKI_URL' }], kind: url(true), default: undefined, defaultWords: 'the local control plane', environmentOnly: true,
    project: never, meaning: 'Control plane that the command line and the SDKs talk to',
  },
  token: {
    key: 'client.token', env: [{ name: 'LOKI_TOKEN' }], kind: secretText, default: undefined, defaultWords: unset, secret: true, environmentOnly: true,
    project: never, meaning: 'Key they present there',
  },
};
