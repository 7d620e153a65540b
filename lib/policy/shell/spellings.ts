/**
 * How programs that can do harm spell their options, so that a rule written in one spelling finds the others. A program that is
 * not here is compared as it is written.
 */

export interface Spelling {
  /** Words behind the program's name that say what is done: one for `git push`, two for `docker volume rm`. */
  readonly verbs: number;
  /** Long options and their short form, in their full length. */
  readonly short: ReadonlyMap<string, string>;
  readonly long: ReadonlyMap<string, string>;
  /** All long options, for those that are cut short. */
  readonly names: readonly string[];
  /** Options that take a value. */
  readonly values: ReadonlySet<string>;
  /** Options that say where something is done and not what; they are left out. */
  readonly places: ReadonlySet<string>;
  /** `-rf` stands for `-r -f`. */
  readonly clusters: boolean;
  /** The order people write short options in, where that is not the alphabet's. */
  readonly order: string;
  /** Every operand is a thing of its own that the program works on. */
  readonly each: boolean;
}

interface Row {
  readonly programs: string;
  readonly verbs?: number;
  /** `name=x` an option and its short form, `name` one without; a `:` behind one that takes a value. */
  readonly options?: string;
  /** The same for options that say where. */
  readonly places?: string;
  readonly clusters?: boolean;
  readonly order?: string;
  readonly each?: boolean;
}

const gitPlaces = 'C: c: git-dir: work-tree: namespace: exec-path config-env: no-pager paginate=p no-replace-objects bare literal-pathspecs no-optional-locks super-prefix: no-lazy-fetch';

const rows: readonly Row[] = [
  { programs: 'rm grm', options: 'recursive=r R=r force=f interactive dir=d verbose=v preserve-root no-preserve-root one-file-system', order: 'rf', each: true },
  { programs: 'rmdir', options: 'parents=p verbose=v ignore-fail-on-non-empty', each: true },
  { programs: 'shred', options: 'force=f iterations=n: size=s: remove=u verbose=v exact=x zero=z random-source:', each: true },
  { programs: 'chmod', options: 'recursive=R changes=c silent=f quiet verbose=v reference: preserve-root no-preserve-root' },
  { programs: 'chown chgrp', options: 'recursive=R changes=c silent=f quiet verbose=v no-dereference=h from: reference: preserve-root no-preserve-root' },
  { programs: 'truncate', options: 'size=s: no-create=c reference=r:', each: true },
  { programs: 'wipefs blkdiscard sgdisk', options: 'all=a force=f zap-all=Z' },
  { programs: 'git push', verbs: 1, options: 'force=f delete=d dry-run=n set-upstream=u quiet=q verbose=v force-with-lease force-if-includes mirror prune tags all follow-tags atomic no-verify verify thin porcelain progress signed push-option=o: repo: receive-pack: exec: recurse-submodules: ipv4=4 ipv6=6' },
  { programs: 'git branch', verbs: 1, options: 'delete=d force=f move=m copy=c all=a remotes=r verbose=v quiet=q track=t set-upstream-to=u: unset-upstream merged no-merged contains list=l show-current edit-description sort: format: color column', order: 'DMC' },
  { programs: 'git clean', verbs: 1, options: 'force=f dry-run=n quiet=q interactive=i exclude=e:', order: 'fdx' },
  { programs: 'git checkout', verbs: 1, options: 'force=f quiet=q track=t detach=d merge=m patch=p b: B: l orphan: conflict: pathspec-from-file: pathspec-file-nul ours theirs recurse-submodules no-recurse-submodules overlay no-overlay progress guess no-guess ignore-skip-worktree-bits ignore-other-worktrees no-quiet no-track no-progress' },
  { programs: 'git switch', verbs: 1, options: 'create=c: force-create=C: discard-changes=f force=f detach=d track=t quiet=q merge=m orphan: guess no-guess recurse-submodules ignore-other-worktrees conflict:' },
  { programs: 'git restore', verbs: 1, options: 'source=s: staged=S worktree=W patch=p quiet=q merge=m ours theirs conflict: pathspec-from-file: recurse-submodules overlay no-overlay ignore-unmerged progress' },
  { programs: 'git reset', verbs: 1, options: 'hard soft mixed merge keep quiet=q patch=p intent-to-add=N pathspec-from-file: recurse-submodules no-refresh refresh' },
  { programs: 'git stash', verbs: 2, options: 'message=m: include-untracked=u all=a keep-index=k patch=p quiet=q staged=S index' },
  { programs: 'git worktree', verbs: 2, options: 'force=f detach quiet=q lock track b: B: expire: porcelain verbose=v' },
  { programs: 'git reflog', verbs: 2, options: 'expire: expire-unreachable: all dry-run=n verbose=v rewrite updateref stale-fix' },
  { programs: 'git gc', verbs: 1, options: 'prune aggressive auto force quiet=q no-prune' },
  { programs: 'git prune', verbs: 1, options: 'expire: dry-run=n verbose=v' },
  { programs: 'git tag', verbs: 1, options: 'delete=d force=f annotate=a sign=s message=m: file=F: list=l verify=v' },
  { programs: 'git update-ref', verbs: 1, options: 'no-deref stdin create-reflog d m:' },
  { programs: 'git remote', verbs: 2, options: 'verbose=v' },
  { programs: 'git rm', verbs: 1, options: 'force=f cached dry-run=n quiet=q r ignore-unmatch' },
  { programs: 'git commit', verbs: 1, options: 'message=m: amend no-verify=n all=a file=F: author: date: allow-empty no-edit signoff=s reuse-message=C: reedit-message=c: fixup: template=t: quiet=q verbose=v patch=p' },
  { programs: 'git submodule', verbs: 2, options: 'force=f all recursive init remote' },
  { programs: 'git rebase', verbs: 1, options: 'interactive=i onto: exec=x: abort continue skip quit autostash force-rebase=f root update-refs' },
  { programs: 'git', verbs: 1 },
  { programs: 'docker podman nerdctl', verbs: 2, options: 'force=f all=a volumes=v filter: rmi: link=l remove-orphans timeout=t: file:', places: 'host=H: context=c: config: log-level=l: tls tlscacert: tlscert: tlskey: tlsverify debug=D url: connection: project-name=p: f:' },
  { programs: 'docker-compose podman-compose', verbs: 1, options: 'force=f volumes=v rmi: remove-orphans timeout=t:', places: 'project-name=p: file=f: host=H: context=c: profile: env-file:' },
  { programs: 'kubectl oc k', verbs: 1, options: 'all force grace-period: filename=f: selector=l: cascade now wait ignore-not-found dry-run recursive=R output=o: field-selector: replicas: purge delete-emptydir-data ignore-daemonsets', places: 'namespace=n: context: cluster: user: kubeconfig: server=s: token: as: as-group: request-timeout: all-namespaces=A' },
  { programs: 'helm', verbs: 1, options: 'keep-history dry-run wait timeout: cascade:', places: 'namespace=n: kube-context: kubeconfig: debug' },
  { programs: 'aws', verbs: 2, options: 'recursive force quiet include: exclude: delete', places: 'profile: region: output: endpoint-url: no-cli-pager no-paginate query: color: debug ca-bundle: cli-read-timeout: cli-connect-timeout:', clusters: false },
  { programs: 'gcloud', verbs: 4, options: 'quiet=q async', places: 'project: account: configuration: region: zone: format: verbosity: impersonate-service-account:', clusters: false },
  { programs: 'gsutil', verbs: 1, options: 'r R f a m', places: 'm o: h:' },
  { programs: 'az', verbs: 3, options: 'yes=y name=n: ids:', places: 'subscription: resource-group=g: output=o: query:', clusters: false },
  { programs: 'terraform tofu terragrunt', verbs: 1, options: '', places: 'chdir:', clusters: false },
  { programs: 'pulumi', verbs: 1, options: 'yes=y skip-preview=f', places: 'stack=s: cwd=C:' },
  { programs: 'npm pnpm yarn', verbs: 1, options: 'force=f global=g', places: 'prefix: C: cwd: dir: filter: workspace=w: workspaces registry: loglevel: silent=s' },
  { programs: 'systemctl', verbs: 1, options: 'now force=f', places: 'user system host=H: machine=M: no-pager quiet=q no-block' },
  { programs: 'iptables ip6tables', verbs: 0, options: 'flush=F delete-chain=X zero=Z policy=P table=t:' },
  { programs: 'crontab', verbs: 0, options: 'r e l i', places: 'u:' },
  { programs: 'kill pkill killall', verbs: 0, options: 'signal=s: full=f exact=x', clusters: false },
  { programs: 'gh', verbs: 2, options: 'yes=y confirm force', places: 'repo=R: hostname:' },
  { programs: 'rsync', verbs: 0, options: 'delete delete-before delete-after delete-during delete-excluded remove-source-files archive=a verbose=v compress=z recursive=r dry-run=n rsh=e: exclude: include:' },
  { programs: 'curl', verbs: 0, options: 'request=X: data=d: header=H: output=o: silent=s location=L fail=f show-error=S user=u: form=F: upload-file=T:' },
];

function words(spec: string): readonly { readonly name: string; readonly short: string | undefined; readonly value: boolean }[] {
  return spec.split(' ').filter((word) => word !== '').map((word) => {
    const [name = '', short] = word.replace(':', '').split('=');
    return { name: name.length === 1 ? `-${name}` : `--${name}`, short: short === undefined ? undefined : `-${short}`, value: word.endsWith(':') };
  });
}

function spelled({ verbs = 0, options = '', places = '', clusters = true, order = '', each = false, programs }: Row): Spelling {
  const git = programs.startsWith('git');
  const own = words(options);
  const where = words(git ? gitPlaces : places);
  const all = git ? own : [...own, ...where];
  const names = (list: typeof own): string[] => list.flatMap(({ name, short }) => short === undefined ? [name] : [name, short]);
  const short = new Map(all.flatMap((one) => one.short === undefined ? [] : [[one.name, one.short] as const]));
  return {
    verbs, clusters, order, each, short, long: new Map([...short].map(([name, letter]) => [letter, name] as const).reverse()), names: all.flatMap(({ name }) => name.startsWith('--') ? [name] : []),
    values: new Set(names([...all, ...(git ? where : [])].filter(({ value }) => value))), places: new Set(names([...where])),
  };
}

const rowOf: ReadonlyMap<string, Row> = new Map(rows.flatMap((row) => (row.programs.startsWith('git ') ? [row.programs] : row.programs.split(' ')).map((name) => [name, row] as const)));
const made = new Map<string, Spelling>();

/** How a program spells its options, or `git` with a subcommand; undefined for one that is not known. */
export function spellingOf(name: string): Spelling | undefined {
  const known = made.get(name);
  if (known !== undefined) return known;
  const row = rowOf.get(name);
  if (row === undefined) return undefined;
  const spelling = spelled(row);
  made.set(name, spelling);
  return spelling;
}
