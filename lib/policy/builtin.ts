/**
 * The rules no file can remove. They keep an agent from the things that would let it judge itself: the records and settings
 * of this program, the hooks that call it, the start-up files of shells, the commands that decide, and the control plane's
 * address. Paths are compared without regard to case, as written and as they really are.
 */
import type { Action, Violation } from '../base/action.ts';
import { compileGlob } from '../base/glob.ts';
import { basename, isInside } from '../base/paths.ts';
import { longestCommand } from './shell/limits.ts';
import { fetchers, lokiName } from './shell/programs.ts';

/** Where the things to protect are. All paths real and absolute. */
export interface ProtectedPlaces {
  readonly lokiHome: string;
  readonly projectDirs: readonly string[];
  readonly homeDir: string;
  /** `host:port` of every address the control plane listens on. */
  readonly controlPlane: readonly string[];
  /** Files that hold keys elsewhere than in LOKI_HOME. */
  readonly keyFiles?: readonly string[];
  /** Folders that records are copied to. */
  readonly copies?: readonly string[];
}

/** The built-in judge of one action. `paths` are the readings of its path; empty for actions without one. */
export interface Builtins {
  judge(action: Action, paths: readonly string[]): readonly Violation[];
  /** What a shell command may change: words given to programs not known to only read. */
  judgeMention(mention: string): readonly Violation[];
}

type Access = 'read' | 'write' | 'delete';

/** Names below any directory, and what they are. */
const anywhere: readonly (readonly [RegExp, string])[] = [
  [/\/\.loki(?:$|\/(?!state\/agent(?:\/|$)))/, 'the records and settings of loki'],
  [/\/\.claude\/(?:settings[^/]*\.json|(?:hooks|plugins)(?:\/.*)?)$/, 'hook settings of an agent'],
  [/\/\.codex(?:$|\/)/, 'hook settings of an agent'],
  [/\/\.gemini\/(?:settings\.json|trustedfolders\.json|\.env)$/, 'hook settings of an agent'],
  [/\/\.cursor\/hooks(?:\.json$|\/)/, 'hook settings of an agent'],
  [/\/\.github\/(?:hooks(?:$|\/)|copilot\/settings[^/]*\.json$)/, 'hook settings of an agent'],
  [/\/\.copilot\/(?:hooks|config|settings)(?:\.json$|\/)/, 'hook settings of an agent'],
  [/\/(?:\.opencode|\.config\/opencode)\/(?:(?:plugin|tool)s?(?:$|\/)|opencode\.jsonc?$|config\.json$)/, 'hook settings of an agent'],
  // Names programs that opencode loads into its own process, beside our plugin.
  [/\/opencode\.jsonc?$/, 'hook settings of an agent'],
  [/\/\.git(?:\/.*)?\/(?:hooks(?:$|\/)|config(?:\.worktree)?$)/, 'hooks or settings of git'],
  [/\/\.git$/, 'hooks or settings of git'],
  [/\/node_modules\/(?:loki-enterprise|\.bin\/loki)(?:$|[/.])/, 'the program of loki'],
];

/** Names below the home directory. */
const atHome: RegExp = /^\/(?:\.(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile|zlogin|zlogout|kshrc|cshrc|tcshrc|login|pam_environment|gitconfig)|\.config\/(?:fish\/.*|zsh\/.*|bash\/.*|git\/.*|environment\.d\/.*))$/;

/** Places of the whole machine. */
const onMachine: RegExp = /^\/(?:etc\/(?:loki|claude-code|codex|gemini-cli|cursor|github-copilot|opencode|profile\.d)(?:$|\/)|etc\/(?:profile|bash\.bashrc|bashrc|zshenv|zshrc|environment|gitconfig|zsh\/.*)$|library\/application support\/(?:claudecode|cursor|geminicli)(?:$|\/))/;

/** Fragments that give a protected place away inside a program text. */
const fragments: readonly string[] = [
  '.loki/', '.loki\\', '.loki"', ".loki'", '.claude/settings', '.claude/hooks', '.codex/', '.gemini/settings', '.cursor/hooks', '.github/hooks', '.opencode/plugin', '.git/hooks', '.git/config',
  '.bashrc', '.zshrc', '.zshenv', '.bash_profile', 'core.hookspath', 'loki.sock', 'loki_home', 'disableallhooks', 'loki-enterprise/', 'loki.cjs',
];

/** Commands of `loki` that decide, reconfigure, erase, or take records out in a person's name: the words after the program's name, options left out. */
const decisive: readonly RegExp[] = [
  /^(?:approve|reject|trust|init|approver(?! (?:verify|status))|stop|pause|resume|login|logout|worker|store|webhooks)(?: |$)/,
  /^hooks (?:install|uninstall|disable)(?: |$)/, /^hook(?: |$)/, /^audit (?:erase|prune|rekey|keep)(?: |$)/, /^enterprise (?:token|audit export)(?: |$)/, /^policy (?:enrol|restore)/, /^dashboard(?: (?:start|stop)|$)/, /^config (?:set|unset)(?: |$)/,
  // Whatever they will have that does more than look.
  /^(?:projects|tasks|runs|keys|tenants) (?!(?:list|get|timeline|watch)(?: |$))/,
];

/** The same inside a program text, at the begin of a command. */
const decisiveText = /(?:^|[;&|(`"'\n]|\b(?:spawn|exec:|system:))\s*(?:\S{0,200}\/)?loki(?:\.[cm]?[jt]s)?(?:["']?,?\s+|["'],)(?:--?\S+\s+){0,4}["']?(?:approve|reject|trust|init|approver|stop|pause|resume|hooks|webhooks|audit\s+(?:erase|prune|rekey|keep)|enterprise["',\s]+(?:token|audit["',\s]+export)|(?:projects|tasks|runs|keys|tenants)["',\s]+(?:create|update|delete|revoke|rotate|start|cancel|replay))\b/;

/** Spellings of this machine's own address. */
const loopbackText = /localhost|127\.\d|::1|0\.0\.0\.0|0x7f|2130706433/i;

/** Options that send a request elsewhere than its address says. */
const detours = /(?:^| )(?:-x|--(?:resolve|connect-to|proxy|preproxy|socks\w*))/;

/** Programs that open connections to a host and port given as words. */
const connectors: ReadonlySet<string> = new Set(['nc', 'ncat', 'netcat', 'telnet', 'socat', 'openssl', 'ssh', 'websocat', 'grpcurl', 'python', 'python3', 'node', 'perl', 'ruby', 'php', 'deno', 'bun']);

/** The rules for these places. */
export function createBuiltins(places: ProtectedPlaces): Builtins {
  const home = places.homeDir.toLowerCase();
  const lokiHome = places.lokiHome.toLowerCase();
  const projects = places.projectDirs.map((path) => path.toLowerCase());
  const ports = new Set(places.controlPlane.map((address) => address.slice(address.lastIndexOf(':') + 1)));
  const addresses = new Set(places.controlPlane.map((address) => address.toLowerCase()));
  const keyFiles = (places.keyFiles ?? []).map((path) => path.toLowerCase());
  const copies = (places.copies ?? []).map((path) => path.toLowerCase());
  const secrets = [`${lokiHome}/keys`, `${lokiHome}/run`, ...keyFiles];
  const examples = [...protectedExamples(home, lokiHome, projects), ...keyFiles, ...copies];

  function reason(path: string, access: Access): string | undefined {
    const lower = folded(path);
    if (access === 'read' && /[*?[{]/.test(lower)) return secrets.some((example) => mayName(lower, example, access)) ? 'keys or tokens of loki' : undefined;
    if (access === 'read') return isInside(lower, `${lokiHome}/keys`) || isInside(lower, `${lokiHome}/run`) || lower === lokiHome || keyFiles.includes(lower) ? 'keys or tokens of loki' : undefined;
    if (isInside(lower, lokiHome) || keyFiles.includes(lower) || copies.some((copy) => isInside(lower, copy))) return 'the records and settings of loki';
    for (const [form, what] of anywhere) if (form.test(lower)) return what;
    if (isInside(lower, home) && atHome.test(lower.slice(home.length))) return 'a start-up file or settings of git';
    if (onMachine.test(lower)) return 'settings of this machine';
    if (/[*?[{]/.test(lower)) return examples.some((example) => mayName(lower, example, access)) ? 'something protected that the pattern may name' : undefined;
    if (access === 'delete' && examples.some((example) => example !== lower && isInside(example, lower))) return 'a folder that holds protected files';
    return undefined;
  }

  function filed(path: string, access: Access): readonly Violation[] {
    const what = reason(path, access);
    if (what === undefined) return [];
    return access === 'read' ? [violation('builtin:secret-keys', `an agent does not read ${what} (${shown(path)})`)]
      : [violation('builtin:protected-files', `an agent does not ${access === 'write' ? 'change' : 'delete'} ${what} (${shown(path)})`)];
  }

  function judge(action: Action, paths: readonly string[]): readonly Violation[] {
    switch (action.kind) {
      case 'fs.read': return first(paths, (path) => filed(path, 'read'));
      case 'fs.write': return first(paths, (path) => filed(path, 'write'));
      case 'fs.delete': return first(paths, (path) => filed(path, 'delete'));
      case 'net': return called(action.url ?? '');
      case 'exec': return commanded(action.command ?? '');
      default: return [];
    }
  }

  function called(url: string): readonly Violation[] {
    const file = /^file:\/*(\/.*)$/is.exec(url)?.[1];
    if (file !== undefined) return filed(decoded(file), 'read');
    return callsHome(url) || folded(decoded(url)).includes('loki.sock') ? [atControlPlane] : [];
  }

  /** Whether a URL, with or without its scheme, leads to the control plane. One that cannot be read and looks like it does. */
  function callsHome(url: string): boolean {
    const web = /^\s*[a-z][a-z0-9+.-]*:(?:\/\/|(?=[\\/]))|^\s*(?:https?|wss?|ftp):/i.test(url) ? url.replace(/^\s*[a-z][a-z0-9+.-]*:/i, 'http:') : `http://${url.trim().replace(/^\/+/, '')}`;
    const full = web.replace(/^http:\/*:/, 'http://localhost:');
    if (!URL.canParse(full)) return loopbackText.test(url);
    const { hostname, port } = new URL(full);
    const real = port === '' ? (/^\s*(?:https|wss)/i.test(url) ? '443' : '80') : port;
    const host = hostname.replace(/\.$/, '');
    return addresses.has(`${host}:${real}`) || (ports.has(real) && isLoopback(host));
  }

  function commanded(command: string): readonly Violation[] {
    const words = command.slice(0, longestCommand).split(' ').filter((word) => word !== '');
    const after = lokiCommands(words).find((text) => decisive.some((form) => form.test(text)));
    if (after === undefined && words.includes('--accept-loss') && lokiCommands(words).some((text) => text.startsWith('audit checkpoint'))) {
      return [violation('builtin:loki-commands', 'an agent does not run "loki audit checkpoint --accept-loss"')];
    }
    if (sendsElsewhere(words)) return [violation('builtin:loki-commands', 'an agent does not send "loki" to another address')];
    if (approvalsTold(words)) return [violation('builtin:loki-commands', 'an agent does not decide an approval')];
    if (removesProgram(words)) return [violation('builtin:loki-commands', 'an agent does not remove the program of loki')];
    if (after !== undefined) return [violation('builtin:loki-commands', `an agent does not run "loki ${after.split(' ').slice(0, 2).join(' ')}"`)];
    const program = basename(words[0] ?? '');
    const named = words.some((word) => [...ports].some((port) => word === port || word.includes(`:${port}`)));
    if (named && fetchers.has(program) && detours.test(command)) return [atControlPlane];
    if ((fetchers.has(program) || connectors.has(program)) && folded(command).includes('loki.sock')) return [atControlPlane];
    if (!connectors.has(program)) return [];
    return (named && words.some(isLoopbackWord)) || namesAddress(command) ? [atControlPlane] : [];
  }

  /** This machine's address with one of the ports behind it, in a text. */
  function namesAddress(text: string): boolean {
    return [...ports].some((port) => new RegExp(`(?:localhost|127\\.\\d|\\[?::1|0\\.0\\.0\\.0)[^ ]{0,12}(?:[: ]|', ?|", ?)\\D{0,4}${port}\\b`).test(text));
  }

  function judgeMention(mention: string): readonly Violation[] {
    const lower = mention.toLowerCase();
    if (lower === 'core.hookspath' || lower.endsWith('/core.hookspath')) return [violation('builtin:protected-files', 'an agent does not move the hooks of git')];
    const named = first([mention], (path) => [...filed(path, 'write'), ...filed(path, 'read')]);
    if (named.length > 0 || !/[\s'"()]/.test(mention)) return named;
    if (decisiveText.test(lower)) return [violation('builtin:loki-commands', 'an agent does not run commands of loki that decide')];
    if (namesAddress(lower)) return [atControlPlane];
    const found = fragments.find((fragment) => lower.includes(fragment)) ?? (lower.includes(lokiHome) ? 'the home of loki' : undefined);
    return found === undefined ? [] : [violation('builtin:protected-files', `a program text names something protected (${found})`)];
  }

  return {
    judge, judgeMention,
  };
}

const atControlPlane = violation('builtin:control-plane', 'an agent does not call the control plane');

function violation(name: string, reason: string): Violation {
  return { name, action: 'deny', reason: `Rule "${name}" (built in): ${reason}`, place: 'built in' };
}

function first(paths: readonly string[], judge: (path: string) => readonly Violation[]): readonly Violation[] {
  for (const path of paths) {
    const found = judge(path);
    if (found.length > 0) return found;
  }
  return [];
}

/** As the most forgiving file system reads it: no case, no invisible characters, no dots or blanks at the end of a name. */
function folded(path: string): string {
  const lower = path.toLowerCase();
  return /[^\x21-\x5b\x5d-\x7e]|\.(?:\/|$)/.test(lower) ? lower.replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, '').replaceAll('\\', '/').replace(/(?<=[^/. ])[. ]+(?=\/|$)|(?<=\/) +/g, '') : lower;
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

function isLoopbackWord(word: string): boolean {
  return /^[\w.[\]:-]{1,64}$/.test(word) && URL.canParse(`http://${word}`) && isLoopback(new URL(`http://${word}`).hostname);
}

function shown(path: string): string {
  return path.length > 160 ? `${path.slice(0, 160)}…` : path;
}

const starters: ReadonlySet<string> = new Set(['npx', 'bunx', 'node', 'tsx', 'npm', 'pnpm', 'yarn', 'bun', 'deno']);

/** What may be said to `loki` in a command, each without options; empty for other programs. */
function lokiCommands(words: readonly string[]): readonly string[] {
  const starts = starters.has(basename(words[0] ?? ''));
  return words.flatMap((word, at) => {
    if (!lokiName.test(word) || (at > 0 && !starts)) return [];
    const rest = words.slice(at + 1);
    return [rest.filter((next, index) => !next.startsWith('-') && !/^--(?:project|home)$/.test(rest[index - 1] ?? '')).slice(0, 8).join(' ')];
  });
}

/** Programs that only say or look for their words. */
const sayers: ReadonlySet<string> = new Set(['echo', 'printf', 'grep', 'egrep', 'fgrep', 'rg', 'ag', 'git', 'gh', 'glab', 'jq', 'sed', 'awk']);

/** `approve apr_…`, said to a program of whatever name: a copy of `loki` is one. */
function approvalsTold(words: readonly string[]): boolean {
  return !sayers.has(basename(words[0] ?? '')) && words.some((word, at) => at > 0 && /^(?:approve|reject)$/.test(word) && /^apr_[0-9A-Z]+$/i.test(words[at + 1] ?? ''));
}

/** An address given to `loki`: what an agent writes into it would leave the machine, past the rules on addresses. */
function sendsElsewhere(words: readonly string[]): boolean {
  if (sayers.has(basename(words[0] ?? ''))) return false;
  return words.some((word) => word.startsWith('LOKI_URL=')) || (lokiCommands(words).length > 0 && words.some((word) => /^--url(?:=|$)/.test(word)));
}

/** A package manager that is told to take the package away: what asks the gate would be gone, and some agents go on without. */
function removesProgram(words: readonly string[]): boolean {
  return /^(?:npm|pnpm|yarn|bun)$/.test(basename(words[0] ?? '')) && words.slice(1, 4).some((word) => /^(?:un|uninstall|remove|rm|r|unlink)$/.test(word)) && words.some((word) => lokiName.test(word));
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '').toLowerCase();
  return /^(?:127(?:\.\d{1,3}){0,3}|0\.0\.0\.0|localhost|.*\.localhost|localhost\.localdomain|ip6-(?:localhost|loopback)|::1?|::ffff:(?:127\.|7f).*|::ffff:0:0|host\.docker\.internal)$/.test(host);
}

/** Places that patterns and folder deletions are held against. */
function protectedExamples(home: string, lokiHome: string, projects: readonly string[]): readonly string[] {
  const inProject = ['.loki', '.loki/policies.yaml', '.loki/policies.json', '.loki/config.yaml', '.git', '.git/hooks', '.git/config', '.claude/settings.json', '.claude/settings.local.json', '.codex', '.gemini/settings.json', '.cursor/hooks.json', '.github/hooks', '.opencode/plugin', '.opencode/plugins'];
  const inHome = ['.bashrc', '.profile', '.bash_profile', '.zshrc', '.zshenv', '.gitconfig', '.claude/settings.json', '.codex', '.gemini/settings.json', '.cursor/hooks.json'];
  return [lokiHome, ...projects.flatMap((project) => inProject.map((name) => `${project}/${name}`)), ...inHome.map((name) => `${home}/${name}`)];
}

/** Whether a path with wildcards may name the example, something in it or, for deleting, a folder above it. */
function mayName(pattern: string, example: string, access: Access): boolean {
  const [parts, wanted] = [pattern.split('/'), example.split('/')];
  if (parts.includes('**')) {
    const test = compileGlob(pattern, 'path');
    return typeof test !== 'function' || test(example);
  }
  if (parts.length < wanted.length && access !== 'delete') return false;
  return wanted.slice(0, parts.length).every((part, index) => partMatches(parts[index] ?? '', part));
}

/** As a shell matches one component: a wildcard does not stand for a leading dot. */
function partMatches(pattern: string, part: string): boolean {
  if (part.startsWith('.') && /^[*?]/.test(pattern)) return false;
  const test = compileGlob(pattern === '' ? '\\' : pattern, 'path');
  return pattern === part || (typeof test === 'function' && test(part));
}
