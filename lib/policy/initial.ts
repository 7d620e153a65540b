/** The policy that `loki init` writes: a working start, each part explained where it stands, with tests of its own. */

/** The text of a first `.loki/policies.yaml`. With `monitor` it reports what it would do and lets everything pass. */
export function initialPolicyText(options: { readonly monitor?: boolean } = {}): string {
  return options.monitor === true ? head + monitored + body : head + body + tests;
}

const head = `# What agents may do in this project. Reference: docs/policy.md. Check it with: loki policy check
version: 1
`;

const monitored = `
# These rules stop nothing: what would have happened is recorded. Remove this line to enforce them. (The built-in rules hold.)
mode: monitor
`;

const body = `
policies:
  # Before an agent does anything. "rule" must hold, or the action happens; "when" says to what a rule applies,
  # and a "when" alone says what must not be. Actions: deny, require_approval, warn, allow (record only).
  #
  # A command is judged by what it does: rules about files hold for "rm" as they do for file tools. Patterns of commands are
  # written with the program first, options in any order and spelling: "git push -f" finds "git -C x push origin --force".
  pre_execution:
    # Files: what lies in the project or in a temporary folder is the agent's to write and delete, the rest is not.
    - name: project-boundary
      when: 'kind == "fs.write"'
      rule: 'file_path must start with [project_dir, "/tmp", "/var/tmp", "/private/tmp", "/var/folders"]'
      action: deny

    - name: deleting-elsewhere
      when: 'kind == "fs.delete"'
      rule: 'file_path must start with [project_dir, "/tmp", "/var/tmp", "/private/tmp", "/var/folders"]'
      action: require_approval

    - name: system-files
      when: >-
        kind in ["fs.write", "fs.delete"] and file_path matches [
        "/{etc,bin,sbin,boot,sys,proc,lib,lib64,root}/**", "/usr/{bin,sbin,lib,lib64,share,local,include}/**", "/private/etc/**",
        "/{System,Library,Applications}/**", "/dev/{sd,hd,vd,xvd,nvme,mmcblk,disk,rdisk,dm-,md,loop,mem,mapper}*", "?:/{Windows,Program Files}/**"]
      action: deny

    # A whole home, a folder at the root of the disk, or everything in one of them.
    - name: no-deleting-of-roots
      when: 'kind == "fs.delete" and file_path matches ["/", "/*", "/\\*/**", "/{home,Users,usr,var}/*", "/{home,Users}/*/\\*", "?:", "?:/", "?:/*"]'
      action: deny

    - name: not-the-whole-project
      when: 'kind == "fs.delete" and file_path matches ["./\\*", "./\\[*", "./\\*\\*", "./.\\*", "./{src,test,tests,docs,packages}"]'
      action: require_approval

    # Folders with all that is in them; what a build or a package manager makes again may go. (A folder deleted as a whole is "folder/*" here.)
    - name: folders-with-work
      when: >-
        kind == "fs.delete" and file_path matches "**/\\*" and file_path not matches [
        "**/{node_modules,bower_components,dist,target,coverage,htmlcov,.nyc_output,__pycache__,venv,.venv,tmp,temp,.tmp}/**", "**/.{cache,next,nuxt,turbo,parcel-cache,svelte-kit,vite,angular,gradle,eslintcache,pytest_cache,mypy_cache,ruff_cache,tox,nox,hypothesis,ipynb_checkpoints,terraform}/**",
        "**/*.egg-info/**", "/var/folders/**"]
      action: require_approval

    - name: private-files
      when: >-
        file_path matches [
        "**/.ssh/**", "**/.gnupg/**", "**/.aws/**", "**/.azure/**", "**/.kube/**", "**/.config/{gcloud,gh,hub}/**", "**/.docker/config.json",
        "**/.netrc", "**/.cargo/credentials*", "**/.{bash,zsh,sh,python,psql,mysql,node_repl,rediscli}_history", "**/.npmrc", "**/.pypirc", "**/.pgpass", "**/.my.cnf", "**/.git-credentials", "**/.vault-token", "**/.terraform.d/credentials*",
        "**/.env", "**/.env.{local,production,prod,staging,development}", "**/id_{rsa,dsa,ecdsa,ed25519}", "**/*.{p12,pfx,keystore}", "/etc/shadow*", "/proc/*/environ"]
      action: require_approval

    # Addresses at which a cloud hands out this machine's credentials, and commands that print all that is in the environment.
    - name: cloud-metadata
      when: 'url matches ["*://169.254.169.254/*", "*://169.254.170.2/*", "*://100.100.100.200/*", "*://metadata.google.internal/*", "*://\\[fd00:ec2::254\\]/*"]'
      action: deny

    - name: environment-dump
      when: 'command matches ["env", "printenv*", "export -p", "declare -x", "declare -p", "set"]'
      action: warn

    # Disks, and what brings a machine down.
    - name: no-destruction
      when: >-
        command matches [
        "rm *-r* {/,/\\*,~,~/,~/\\*}", "rm *-r* --no-preserve-root*", "{mkfs,mkfs.*,mkswap,wipefs,blkdiscard} */dev/*", "diskpart*",
        "dd *of=/dev/{sd,hd,vd,xvd,nvme,mmcblk,disk,rdisk,dm-,md,loop,mem,mapper}*", "diskutil {erase,partition,reformat,zero}*", ":()\\{ :|:& \\};:",
        "{chmod,chown,chgrp} -R * {/,/\\*,/etc,/usr,/bin,/home,~}", "kill -{9,KILL,SIGKILL} -1", "kill -1"]
      action: deny

    - name: machine-state
      when: >-
        command matches [
        "{fdisk,sfdisk,sgdisk,parted,cryptsetup,lvremove,vgremove,pvremove} */*", "{zpool,zfs} destroy*", "{shutdown,reboot,halt,poweroff}*", "init {0,6}", "systemctl {poweroff,reboot,halt,rescue,emergency,stop,disable,mask,kill}*", "launchctl {unload,remove,bootout}*",
        "{iptables,ip6tables} -F*", "nft flush*", "ufw {disable,reset}*", "crontab -{r,e}*", "crontab -", "crontab [!-]*", "service * stop*", "{pkill,killall} *", "shred*", "chmod -R {777,a+rwx,a+w,o+w,0777}*",
        "userdel*", "passwd*", "mount *", "umount *", "insmod*", "setenforce 0*", "history -c*"]
      action: require_approval

    - name: no-privileges
      when: 'command matches ["{sudo,doas,su,pkexec,run0} *", "su"]'
      action: require_approval

    # Folders with all that is in them, chosen by a pattern: "find -exec rm -rf".
    - name: found-and-deleted
      when: 'command matches "rm -f *-r* \\{\\}"'
      action: require_approval

    # Text from the network that runs unread, and shells that somebody else is given.
    - name: no-download-to-shell
      when: 'command matches ["{sh,bash,zsh,dash,ksh,ash,fish} < {curl,wget,fetch,http,https,xh,aria2c} *", "{python*,node,perl,ruby,php} < {curl,wget,http,xh} *", "{nc,ncat,netcat} *{-e,-c,--exec,--sh-exec} *", "socat *{exec,EXEC,system,SYSTEM}:*"]'
      action: require_approval

    # git: history that others have, and work that is nowhere else.
    - name: no-force-push
      when: 'command matches ["git push -f*", "git push --mirror*"] and not command matches "git push *--force-with-lease*"'
      action: deny

    - name: no-history-rewrite
      when: >-
        command matches [
        "git push {-f,-d,--prune}*", "git filter-{branch,repo}*", "git branch {-D,-f}*", "git tag -d*", "git update-ref -d*", "git reflog {expire,delete}*",
        "git gc --prune*", "git prune*", "git stash {drop,clear}*"]
      action: require_approval

    - name: no-lost-work
      when: >-
        command matches [
        "git reset --{hard,merge}*", "git clean -f*", "git checkout -f*", "git checkout -- *", "git checkout * -- *", "git checkout --pathspec-from-file*",
        "git switch -f*", "git restore -W*", "git worktree remove -f*", "git submodule deinit -f*", "git rm -f*", "git checkout-index -*f*", "git read-tree --reset*"]
      action: require_approval

    # Data and machines that others share.
    - name: shared-data
      when: >-
        command matches [
        "{psql,mysql,mariadb,sqlite3,duckdb,cockroach,sqlcmd,snowsql,clickhouse-client,cqlsh,bq} < {DROP,TRUNCATE,ALTER * DROP} *",
        "{psql,mysql,mariadb,sqlite3,duckdb,cockroach,sqlcmd,snowsql,clickhouse-client,cqlsh,bq} < {DELETE,UPDATE} * WHERE TRUE",
        "{redis-cli,valkey-cli} < {FLUSHALL,FLUSHDB,SHUTDOWN}*", "{mongo,mongosh} < *.{DROP,DROPDATABASE,DELETEMANY,REMOVE}(*", "bq rm *", "dropdb *", "dropuser *", "mysqladmin *drop *",
        "{rails,rake} db:{drop,reset}*", "prisma migrate reset*", "prisma db push *--force-reset*", "etcdctl del *"]
      action: require_approval

    - name: shared-infrastructure
      when: >-
        command matches [
        "{docker,podman,nerdctl} {system,volume,image,container,network,builder,buildx} prune*", "{docker,podman} volume rm*", "{docker,podman} compose down -v*", "docker-compose down -v*", "{docker,podman} run *{--privileged,--pid=host,-v /:}*",
        "{kubectl,oc,k} {delete,drain,replace,cordon}*", "{kubectl,oc} scale *--replicas=0*", "helm {uninstall,delete,rollback}*", "{terraform,tofu,terragrunt} {destroy,taint,force-unlock}*", "{terraform,tofu,terragrunt} apply *-{destroy,auto-approve}*",
        "{terraform,tofu} state {rm,mv,push}*", "{terraform,tofu} workspace delete*", "pulumi {destroy,stack rm,cancel}*", "cdk destroy*", "serverless remove*", "aws * {delete,terminate,remove,purge,destroy,deregister}*", "aws s3 {rm,rb}*", "aws s3 {sync,mv} *--delete*",
        "gcloud * {delete,remove,destroy}*", "gsutil {rm,rb}*", "gcloud storage rm*", "az * {delete,purge}*", "doctl * delete*", "heroku {apps:destroy,pg:reset,destroy}*", "fly {destroy,apps destroy}*", "vercel {rm,remove}*", "netlify sites:delete*", "firebase *:delete*",
        "gh {repo,release,secret,variable,ssh-key,run,cache} delete*", "gh repo archive*", "gh api *{-X,--method} DELETE*", "glab * delete*", "rclone {delete,purge,sync,rmdirs}*", "restic {forget,prune}*", "borg {delete,prune}*", "rsync *--delete*"]
      action: require_approval

    - name: publishing
      when: 'command matches ["{npm,pnpm,yarn} {publish,unpublish,deprecate,owner,token}*", "cargo {publish,yank}*", "twine upload*", "poetry publish*", "gem {push,yank}*", "gh release create*", "docker push*"]'
      action: require_approval

    - name: agent-limit
      rule: "active_agents <= 5"
      when: 'kind == "agent"'
      action: require_approval

  # What is written, and what agents are told, must not carry credentials.
  data:
    - name: secret-scan
      type: secret_detection
      action: deny

    - name: personal-data
      type: pii_scanning
      action: warn

  # A budget of tokens for the project.
  resource:
    - name: token-budget
      max_tokens: 5000000
      alerts: [50, 80, 95]
      on_exceed: require_approval

  # Before a deployment, these gates must have been passed:
  # pre_deployment:
  #   - name: gates
  #     gates: [unit-tests, security-scan]
  #     action: deny

  # A phase that people must approve first:
  # approval_gates:
  #   - name: production-deploy
  #     phase: deploy
  #     approvers: [role:admin]
  #     required: 1
  #     timeout_minutes: 30
`;

const tests = `
# Run by "loki policy check" and when the project is enrolled; a policy whose tests fail is not enrolled.
tests:
  - name: writing to the system is denied
    point: pre_execution
    context: { kind: fs.write, file_path: /etc/passwd, project_dir: /home/u/p }
    expect: DENY
    by: system-files

  - name: deleting outside the project needs a person
    point: pre_execution
    context: { kind: fs.delete, file_path: /home/u/other/a.ts, project_dir: /home/u/p }
    expect: REQUIRE_APPROVAL
    by: deleting-elsewhere

  - name: writing outside the project is denied, through a command too
    point: pre_execution
    context: { kind: exec, command: "cd .. && echo x > notes.txt", project_dir: /home/u/p, cwd: /home/u/p }
    expect: DENY
    by: project-boundary

  - name: writing inside the project is allowed
    point: pre_execution
    context: { kind: fs.write, file_path: /home/u/p/src/a.ts, project_dir: /home/u/p }
    expect: ALLOW

  - name: a forced push is denied, also behind another command
    point: pre_execution
    context: { kind: exec, command: "npm test && git push origin main --force" }
    expect: DENY
    by: no-force-push

  - name: a forced push that looks first is allowed
    point: pre_execution
    context: { kind: exec, command: "git push --force-with-lease origin feature" }
    expect: ALLOW

  - name: a commit message may say anything
    point: pre_execution
    context: { kind: exec, command: "git commit -m 'explain git push --force'" }
    expect: ALLOW

  - name: work that was never committed is not thrown away unasked
    point: pre_execution
    context: { kind: exec, command: "git -C src reset --hard HEAD" }
    expect: REQUIRE_APPROVAL
    by: no-lost-work

  - name: the root is not deleted, however the options are written
    point: pre_execution
    context: { kind: exec, command: "rm --force -vR -- /" }
    expect: DENY
    by: no-destruction

  - name: a table is not dropped unasked
    point: pre_execution
    context: { kind: exec, command: "psql -d app -c 'drop table users'" }
    expect: REQUIRE_APPROVAL
    by: shared-data

  - name: credentials of the machine are not fetched, however the address is written
    point: pre_execution
    context: { kind: exec, command: "curl -s http://2852039166/latest/meta-data/", project_dir: /home/u/p, cwd: /home/u/p }
    expect: DENY
    by: cloud-metadata

  - name: a sixth agent needs a person
    point: pre_execution
    context: { kind: agent, agent: reviewer, active_agents: 6 }
    expect: REQUIRE_APPROVAL
    by: agent-limit

  - name: a private key is not written
    point: data
    context: { content: "-----BEGIN PRIVATE KEY-----\\\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\\\\n-----END PRIVATE KEY-----" }
    expect: DENY
    by: secret-scan
`;
