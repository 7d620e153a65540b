/**
 * Every name of spans and of their attributes, and what it means (contract section 8). Data only, so that whoever makes spans loads nothing else;
 * metrics have their names in `metric-names.ts`, which no hook needs.
 */

/** The scope of everything that is ours (OpenTelemetry: instrumentation scope). */
export const scopeName: string = 'loki-enterprise';

/** Names of spans. A function where a part of the name is known only then. */
export const spanNames = {
  project: 'project',
  task: 'task',
  phase: (phase: string): string => `rarv.${phase.toLowerCase()}`,
  qualityGate: (name: string): string => `quality_gate.${name}`,
  agent: (type: string, action: string): string => `agent.${type}.${action}`,
  tool: (tool: string): string => `execute_tool ${tool}`,
  council: (reviewer: string): string => `council.${reviewer}`,
  policy: 'policy.evaluate',
  approval: 'approval.wait',
  audit: 'audit.append',
  request: (method: string, route: string | undefined): string => (route === undefined ? method : `${method} ${route}`),
  webhook: 'webhook.deliver',
  command: (name: string): string => `loki ${name}`,
} as const;

/** Names of attributes: ours, then those of OpenTelemetry's conventions (GenAI, HTTP, errors). */
export const attribute = {
  projectId: 'loki.project.id',
  taskId: 'loki.task.id',
  taskIds: 'loki.task.ids',
  runId: 'loki.run.id',
  runAttempt: 'loki.run.attempt',
  runTrigger: 'loki.run.trigger',
  sessionId: 'loki.session.id',
  tenantId: 'loki.tenant.id',
  principalKind: 'loki.principal.kind',
  requestId: 'loki.request.id',
  phase: 'loki.rarv.phase',
  iteration: 'loki.rarv.iteration',
  phaseOutcome: 'loki.rarv.outcome',
  gateName: 'loki.quality_gate.name',
  gateResult: 'loki.quality_gate.result',
  gatePassed: 'loki.quality_gate.passed',
  agentType: 'loki.agent.type',
  agentAction: 'loki.agent.action',
  agentTry: 'loki.agent.try',
  reviewer: 'loki.council.reviewer',
  verdict: 'loki.council.verdict',
  approved: 'loki.council.approved',
  decision: 'loki.policy.decision',
  rule: 'loki.policy.rule',
  digest: 'loki.policy.digest',
  point: 'loki.policy.point',
  approvalId: 'loki.approval.id',
  approvalStatus: 'loki.approval.status',
  approver: 'loki.approval.approver',
  auditSeq: 'loki.audit.seq',
  actionHash: 'loki.action.hash',
  actionKind: 'loki.action.kind',
  ungated: 'loki.action.ungated',
  actor: 'loki.actor',
  status: 'loki.status',
  exitCode: 'process.exit.code',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  model: 'gen_ai.request.model',
  agentName: 'gen_ai.agent.name',
  conversation: 'gen_ai.conversation.id',
  toolName: 'gen_ai.tool.name',
  toolCallId: 'gen_ai.tool.call.id',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
  tokenType: 'gen_ai.token.type',
  method: 'http.request.method',
  route: 'http.route',
  httpStatus: 'http.response.status_code',
  stream: 'loki.http.stream',
  resendCount: 'http.request.resend_count',
  scheme: 'url.scheme',
  serverAddress: 'server.address',
  errorType: 'error.type',
} as const;

/** Agent, or provider of a run -> `gen_ai.provider.name`, in the words of OpenTelemetry's conventions: whose model it asks, where it asks one alone; else its own name. */
export const providerNames: ReadonlyMap<string, string> = new Map([
  ['claude', 'anthropic'], ['codex', 'openai'], ['gemini', 'gcp.gemini'], ['opencode', 'opencode'], ['command', 'command'], ['scripted', 'scripted'],
]);

/** The same for one that may be none of these: a name of somebody's own. */
export function providerOfAgent(agent: string): string {
  return providerNames.get(agent) ?? agent;
}

/** What `loki doctor telemetry` sends to see what comes back: a span, a gauge, an event. */
export const probeNames = { span: 'loki.probe', metric: 'loki_probe', event: 'loki.probe' } as const;
