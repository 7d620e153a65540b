/**
 * Where work may be sent: providers, regions, and with `air_gapped` nothing beyond this machine. A rule that no policy file can
 * remove. Pure: it compares names and addresses as they are written and resolves nothing, because resolving a name already asks
 * another machine. What it cannot place, an unknown region or a host it cannot read, is a no.
 */
import type { Action, Violation } from '../base/action.ts';
import type { Builtins } from './builtin.ts';
import { isListed, parseAddress } from '../base/addresses.ts';

/** The settings, and where they were made. */
export interface Residency {
  readonly allowedProviders: readonly string[];
  readonly allowedRegions: readonly string[];
  readonly airGapped: boolean;
  /** Whether the list of providers was written by somebody else than the project: only such a list makes `command` local. */
  readonly isListOurs: boolean;
  /** Hosts, addresses and blocks that deliveries may reach (`enterprise.egress.allow_internal`). */
  readonly allowedHosts: readonly string[];
  /** Where a setting was made, for reasons: `/etc/loki/config.yaml:3`. Asked only for a no. */
  readonly origin: (key: string) => string;
}

export const residencyRule = 'builtin:residency';

/** Plays a file on this machine and sends nothing: no region is asked of it. */
const localPlayer = 'scripted';
/** Any program: local only when somebody who may say so says that it is. */
const anyProgram = 'command';

/** What is wrong with calling a provider. */
export function judgeProvider(residency: Residency, { provider, region }: { readonly provider: string; readonly region?: string }): readonly Violation[] {
  const { allowedProviders, allowedRegions, airGapped, isListOurs, origin } = residency;
  const found: string[] = [];
  if (allowedProviders.length > 0 && !allowedProviders.includes(provider)) {
    found.push(`provider is ${JSON.stringify(provider)}, and residency.allowed_providers (${origin('residency.allowed_providers')}) names only ${allowedProviders.join(', ')}`);
  }
  if (allowedRegions.length > 0 && provider !== localPlayer && (region === undefined || !allowedRegions.includes(region))) {
    found.push(`the region of ${JSON.stringify(provider)} is ${region === undefined ? 'not known' : JSON.stringify(region)}, and residency.allowed_regions (${origin('residency.allowed_regions')}) names only ${allowedRegions.join(', ')}`);
  }
  const isLocal = provider === localPlayer || (provider === anyProgram && isListOurs && allowedProviders.includes(anyProgram));
  if (airGapped && !isLocal) {
    found.push(`residency.air_gapped is true (${origin('residency.air_gapped')}), and ${provider === anyProgram ? 'the provider "command" may be any program: name it in residency.allowed_providers, outside the project\'s own file, if it sends nothing beyond this machine' : `the provider ${JSON.stringify(provider)} sends work beyond this machine`}`);
  }
  return found.map(violation);
}

/** What is wrong with an action of an agent: in an air-gapped installation it calls nothing beyond this machine, whatever is listed for deliveries. */
export function judgeReach(residency: Residency, action: Pick<Action, 'kind' | 'url'>): readonly Violation[] {
  if (!residency.airGapped || action.kind !== 'net') return [];
  const host = hostOf(action.url ?? '');
  if (host !== undefined && isThisMachine(host)) return [];
  return [violation(`residency.air_gapped is true (${residency.origin('residency.air_gapped')}), and ${host === undefined ? 'the address names no host that can be read' : `${JSON.stringify(host.slice(0, 100))} is not this machine`}`)];
}

/** The built-in rules with this one among them. */
export function withResidency(builtins: Builtins, residency: Residency): Builtins {
  return { ...builtins, judge: (action, paths) => [...builtins.judge(action, paths), ...judgeReach(residency, action)] };
}

/** Why nothing is delivered to a host (a name, or an address without brackets); undefined when it may be. */
export function refusedDelivery(residency: Residency, host: string): string | undefined {
  const { airGapped, allowedHosts, origin } = residency;
  if (!airGapped || isThisMachine(host) || isListed(host, allowedHosts)) return undefined;
  return `residency.air_gapped is true (${origin('residency.air_gapped')}), and ${JSON.stringify(host.slice(0, 100))} is neither this machine nor listed in enterprise.egress.allow_internal`;
}

function violation(reason: string): Violation {
  return { name: residencyRule, action: 'deny', reason: `Rule "${residencyRule}" (built in): ${reason}`, place: 'built in' };
}

/** The host of an address as a browser reads it, with or without its scheme; undefined for what cannot be read. A file without one is this machine's. */
function hostOf(url: string): string | undefined {
  const text = url.trim();
  const file = /^file:(?:\/\/([^/\\]*))?/i.exec(text);
  if (file !== null) return (file[1] ?? '') === '' ? 'localhost' : file[1];
  const schemed = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text.replace(/^[^:]*/, 'http') : `http://${text}`;
  if (!URL.canParse(schemed)) return undefined;
  const { hostname } = new URL(schemed);
  return hostname === '' ? undefined : hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/** Names and addresses of the loopback interface. */
function isThisMachine(host: string): boolean {
  const name = host.toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const bytes = parseAddress(name);
  if (bytes === undefined) return false;
  return bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, at) => byte === (at === 15 ? 1 : 0));
}
