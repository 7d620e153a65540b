/** What `loki init` writes: a configuration in which every line is explained and nothing is changed. */

/** Text of a new `.loki/config.yaml`. It says nothing yet but what the defaults say. */
export const initialConfigText: string = `# Settings of this project. Every key: docs/config.md. Effective values: loki enterprise status
#
# This file comes with the repository, so it may not loosen security: keys about servers, keys and tokens belong in
# LOKI_HOME/config.yaml or the environment, and the commands below run only once a person has confirmed them (loki trust).

runs:
  # claude, codex, gemini, opencode, scripted, or a program of your own. Left out: the first agent installed.
  # provider: claude
  # provider: {name: command, command: "node agent.mjs"}

  max_iterations: 10
  # budget: 1000000            # tokens a run may use
  branch_protection: false     # true: a run works on loki/session-<time>-<pid>

  # A run is complete when every gate passes (exit code 0 in time) and the council approves.
  gates: []
  # gates:
  #   - name: unit-tests
  #     command: npm test
  #     timeout: 10m

  # council:
  #   reviewers: [requirements, quality, security]
  #   required: 2

# Where work may be sent. A project can only narrow what the organisation allows.
# residency:
#   allowed_providers: [claude]
#   allowed_regions: [eu]
#   air_gapped: false

# US dollars a million tokens, for budgets in money.
# prices:
#   model-name: {input: 3, output: 15, cache_read: 0.3, cache_write: 3.75}

# A project can make the audit log record more, never less.
# enterprise:
#   audit:
#     level: debug
`;
