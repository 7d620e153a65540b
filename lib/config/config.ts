/**
 * The configuration as the rest of the program sees it: typed, frozen by type, every value checked. `table` is the list of
 * all settings; `buildConfig` turns resolved values into the typed parts. What is not in the table cannot be configured.
 */
import type { Problem } from '../errors.ts';
import { auditSection } from './sections/audit.ts';
import type { AuditConfig } from './sections/audit.ts';
import {
  clientSection, serverSection, singleSection, splunkSection, syslogSection, tlsSection,
} from './sections/enterprise.ts';
import type {
  ClientConfig, ServerConfig, SplunkConfig, SyslogConfig, TlsConfig,
} from './sections/enterprise.ts';
import { githubSection, jiraSection, linearSection, slackSection, teamsSection } from './sections/integrations.ts';
import type { GithubConfig, JiraConfig, LinearConfig, SlackConfig, TeamsConfig } from './sections/integrations.ts';
import { machinesSection, oidcSection } from './sections/sign-on.ts';
import type { MachinesConfig, OidcConfig } from './sections/sign-on.ts';
import { telemetrySection } from './sections/telemetry.ts';
import type { TelemetryConfig } from './sections/telemetry.ts';
import { pricesSection, residencySection, runsSection } from './sections/work.ts';
import type { Price, ResidencyConfig, RunsConfig } from './sections/work.ts';
import type { Section, Setting } from './setting.ts';

/** The layers, strongest first. */
export const layers = ['flag', 'environment', 'organisation', 'user', 'project', 'default'] as const;
export type Layer = (typeof layers)[number];

/** Where a value came from. */
export interface Origin {
  readonly layer: Layer;
  /** The flag, the variable, the file's path; empty for a default. */
  readonly name: string;
  /** From 1; only for files. */
  readonly line?: number;
  readonly column?: number;
  /** The stronger layer that says more than the default too, where the project's wish counts beside it. */
  readonly beside?: Origin;
}

/** One line of `loki enterprise status`. */
export interface ConfigOrigin {
  readonly key: string;
  /** The effective value as text; `set (hidden)` for a secret. */
  readonly value: string;
  /** `default`, `env LOKI_PORT`, `flag --port`, `/etc/loki/config.yaml:3`. */
  readonly from: string;
}

/** A value that was set aside has the setting it was for. */
export interface Warning extends Problem {
  readonly setting?: string;
}

/** Everything that is configured. */
export interface Config {
  /** Absolute path of LOKI_HOME. */
  readonly home: string;
  readonly managedPolicy: string | undefined;
  readonly client: Pick<ClientConfig, 'url' | 'token'>;
  readonly audit: AuditConfig;
  /** Further metadata of each audit entry, by name. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly siem: { readonly syslog: SyslogConfig; readonly splunk: SplunkConfig };
  readonly telemetry: TelemetryConfig;
  readonly auth: { readonly enabled: boolean; readonly oidc: OidcConfig; readonly machines: MachinesConfig['trusted'] };
  readonly server: ServerConfig & { readonly tls: TlsConfig };
  readonly integrations: {
    readonly slack: SlackConfig;
    readonly teams: TeamsConfig;
    readonly jira: JiraConfig;
    readonly linear: LinearConfig;
    readonly github: GithubConfig;
  };
  readonly egress: { readonly allowInternal: readonly string[] };
  readonly residency: ResidencyConfig;
  readonly runs: RunsConfig;
  readonly prices: ReadonlyMap<string, Price>;
  readonly store: 'embedded';
  /** What is odd but does no harm: unknown LOKI_ variables, values set aside. */
  readonly warnings: readonly Warning[];
  /** Where the value of a key of the table came from. */
  origin(key: string): Origin;
  /** Every setting with its effective value and origin, in the order of the table, without secrets. */
  explain(): readonly ConfigOrigin[];
}

const sections: readonly Readonly<Record<string, Setting<unknown>>>[] = [
  auditSection, syslogSection, splunkSection, telemetrySection, singleSection, oidcSection, machinesSection, serverSection, tlsSection,
  residencySection, runsSection, pricesSection, slackSection, teamsSection, jiraSection, linearSection, githubSection, clientSection,
];

/** Every setting there is. */
export const table: readonly Setting<unknown>[] = sections.flatMap((section) => Object.values(section));

/** The effective value of a key. */
export type Lookup = (key: string) => unknown;

/** The typed parts, without what only the resolver knows. */
export function buildConfig(lookup: Lookup): Omit<Config, 'metadata' | 'warnings' | 'origin' | 'explain'> {
  const { authEnabled, allowInternal, store } = valuesOf(singleSection, lookup);
  const { home, managedPolicy, url, token } = valuesOf(clientSection, lookup);
  return {
    home, managedPolicy, client: { url, token }, store,
    audit: valuesOf(auditSection, lookup),
    siem: { syslog: valuesOf(syslogSection, lookup), splunk: valuesOf(splunkSection, lookup) },
    telemetry: valuesOf(telemetrySection, lookup),
    auth: { enabled: authEnabled, oidc: valuesOf(oidcSection, lookup), machines: valuesOf(machinesSection, lookup).trusted },
    server: { ...valuesOf(serverSection, lookup), tls: valuesOf(tlsSection, lookup) },
    integrations: {
      slack: valuesOf(slackSection, lookup), teams: valuesOf(teamsSection, lookup), jira: valuesOf(jiraSection, lookup),
      linear: valuesOf(linearSection, lookup), github: valuesOf(githubSection, lookup),
    },
    egress: { allowInternal },
    residency: valuesOf(residencySection, lookup),
    runs: valuesOf(runsSection, lookup),
    prices: valuesOf(pricesSection, lookup).byModel,
  };
}

/** Each value was read by the kind of its own row, so it has the type that `Section` ties to the field. */
function valuesOf<C extends object>(section: Section<C>, lookup: Lookup): C {
  const rows = Object.entries<Setting<unknown>>(section);
  return Object.fromEntries(rows.map(([field, setting]) => [field, lookup(setting.key)])) as C;
}
