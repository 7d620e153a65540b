/** The policy that `loki init` writes: a working start, each part explained where it stands, with tests of its own. */

/** The text of a first `.loki/policies.yaml`. With `monitor` it reports what it would do and lets everything pass. */
export function initialPolicyText(options: { readonly monitor?: boolean } = {}): string {
  return options.monitor === true ? head + monitored + body : head + body + tests;
}

const head = `# What agents may do in this project. Reference: docs/policy.md. Check it with: loki policy check
version: 1
`;

const monitored = `
# Nothing is stopped: what would have happened is recorded. Remove this line to enforce.
mode: monitor
`;

const body = `
policies:
  # Before an agent does anything. "rule" must hold, or the action happens; "when" says to what a rule applies,
  # and a "when" alone says what must not be. Actions: deny, require_approval, warn, allow (record only).
  pre_execution:
    - name: project-boundary
      rule: "file_path must start with project_dir"
      when: 'kind in ["fs.write", "fs.delete"]'
      action: deny

    - name: private-files
      when: 'file_path matches ["**/.ssh/**", "**/.aws/credentials", "**/.netrc", "**/.npmrc", "**/.gnupg/**", "**/.env", "**/id_rsa", "**/id_ed25519"]'
      action: require_approval

    - name: agent-limit
      rule: "active_agents <= 5"
      when: 'kind == "agent"'
      action: require_approval

    - name: no-force-push
      when: 'command matches ["git push *--force*", "git push -f*", "git push * -f*", "git push * +*", "git push * --delete *", "git push --delete *"]'
      action: deny

    - name: no-history-rewrite
      when: 'command matches ["git reset --hard*", "git clean -*f*", "git filter-branch*", "git reflog expire*", "git branch -D *", "git checkout -- *", "git stash drop*", "git stash clear*"]'
      action: require_approval

    - name: no-destruction
      when: 'command matches ["rm -rf /", "rm -rf /\\*", "rm -rf ~*", "mkfs*", "dd * of=/dev/*", "dd of=/dev/*", "shred *", "wipefs*", "chmod -R 777 *", "chown -R *"]'
      action: deny

    - name: no-privileges
      when: 'command matches ["sudo *", "doas *", "su *", "su"]'
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
  - name: writing outside the project is denied
    point: pre_execution
    context: { kind: fs.write, file_path: /etc/passwd, project_dir: /home/u/p }
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

  - name: a commit message may say anything
    point: pre_execution
    context: { kind: exec, command: "git commit -m 'explain git push --force'" }
    expect: ALLOW

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
