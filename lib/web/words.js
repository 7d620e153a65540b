/** Values as people read them. Pure: nothing here touches the page. */

const numberFormat = new Intl.NumberFormat('en');

export function count(value) {
  return numberFormat.format(value);
}

/** `1 entry`, `2 entries`. */
export function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** 1.2 s, 14 s, 3 min 20 s, 2 h 5 min. */
export function duration(milliseconds) {
  if (!Number.isFinite(milliseconds)) return '–';
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** +00:07.3, +1:02:03. */
export function offset(milliseconds) {
  const tenths = Math.max(0, Math.floor(milliseconds / 100));
  const seconds = Math.floor(tenths / 10);
  const two = (value) => String(value).padStart(2, '0');
  if (seconds >= 3600) return `+${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `+${two(Math.floor(seconds / 60))}:${two(seconds % 60)}.${tenths % 10}`;
}

export function ago(time, now) {
  const seconds = Math.floor((now - Date.parse(time)) / 1000);
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return time.slice(0, 10);
}

/** A time in UTC, without the date where it is today's. */
export function clockTime(time, now) {
  if (typeof time !== 'string') return '–';
  const [day, rest = ''] = time.split('T');
  const today = new Date(now).toISOString().slice(0, 10);
  return day === today ? rest.slice(0, 8) : `${day} ${rest.slice(0, 8)}`;
}

/** The end of an id, enough to tell two apart. */
export function shortId(id) {
  return typeof id === 'string' && id.length > 14 ? `${id.slice(0, 4)}…${id.slice(-6)}` : String(id);
}

/** What a run is about, from its configuration: the document, in its folder. */
export function runTitle(run) {
  const prd = run.config?.prd ?? run.config?.prd_path ?? run.config?.title;
  const path = typeof prd === 'string' ? prd : typeof prd?.path === 'string' ? prd.path : '';
  return path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..').slice(-2).join(' / ') || shortId(run.id);
}

const kinds = {
  phase_change: 'Phase', quality_gate: 'Gate', agent_action: 'Action', policy_decision: 'Policy', approval: 'Approval', council: 'Council', error: 'Error', log: 'Log',
};

export function kindOf(event) {
  return kinds[event.event_type] ?? event.event_type;
}

const tones = {
  ALLOW: 'good', DENY: 'bad', REQUIRE_APPROVAL: 'wait', approved: 'good', rejected: 'bad', expired: 'bad', pending: 'wait', passed: 'good', failed: 'bad',
};

const badgeWords = { ALLOW: 'allowed', DENY: 'denied', REQUIRE_APPROVAL: 'needs approval' };

/** The outcome of an event, where it has one: words and whether that is good, bad or to be waited for. */
export function outcomeOf({ event_type: type, details }) {
  const outcome = type === 'quality_gate' ? (details.passed ? 'passed' : 'failed')
    : type === 'council' && typeof details.approved === 'boolean' ? (details.approved ? 'approved' : 'rejected')
    : type === 'approval' ? details.status
    : details.decision;
  if (typeof outcome !== 'string') return null;
  return { words: badgeWords[outcome] ?? outcome, tone: tones[outcome] ?? 'plain' };
}

const text = (...values) => values.filter((value) => typeof value === 'string' && value !== '');

/** Long text shows its beginning in a line; all of it is in the row's details. */
const longestText = 160;

function shortened(value) {
  if (typeof value !== 'string') return '';
  const line = value.slice(0, 4 * longestText).replaceAll(/\s+/g, ' ').trim();
  return line.length > longestText || value.length > 4 * longestText ? `${line.slice(0, longestText - 1)}…` : line;
}

/** Which page an address (the part from `#`) asks for: `runs`, `record`, one `run`, or a run that cannot exist. */
export function pageOf(hash) {
  const [, page = '', id = ''] = hash.split('/');
  if (page === 'record') return { name: 'record', id: null };
  if (page !== 'runs' || id === '') return { name: 'runs', id: null };
  return { name: /^run_[0-9A-Z]{26}$/.test(id) ? 'run' : 'missing', id };
}

/** One line that says what happened. */
export function headline({ event_type: type, phase, details }) {
  const parts = {
    phase_change: () => text(details.iteration ? `iteration ${details.iteration}` : '', details.reason),
    quality_gate: () => text(details.name, details.outcome === 'passed' ? '' : details.outcome),
    agent_action: () => text([details.kind, details.target].filter(Boolean).join(' '), details.decision === 'ALLOW' ? '' : details.reason),
    policy_decision: () => text(details.action ?? details.subject ?? details.point, details.decision === 'ALLOW' ? '' : details.reason),
    approval: () => text(details.action ?? details.point, details.reason),
    council: () => text(details.reviewer ?? details.outcome, details.reason),
    error: () => text(details.message, details.reason, details.role),
    log: () => text(details.message, shortened(details.text)),
  }[type]?.() ?? [];
  return parts.join(' · ') || phase || kinds[type] || type;
}

/** Which filter shows an event. */
export function groupOf(event) {
  if (event.event_type === 'error' || event.details.level === 'error') return 'problems';
  const outcome = outcomeOf(event);
  if (outcome?.tone === 'bad') return 'problems';
  return event.event_type;
}

/** What an entry of the log of record is about: the action and why, else the path, else the resource. */
export function aboutEntry({ resource, details }) {
  const action = details?.action;
  const subject = action !== null && typeof action === 'object' ? text(action.kind, action.command ?? action.file_path ?? action.url ?? action.mcp_tool ?? action.agent ?? action.tool).join(' ') : action;
  return text(subject, details?.reason).join(' · ') || text(details?.path, resource)[0] || '';
}

/** The verdict over the log of record: a word, what it means, and the first place where the chain does not hold. */
export function verdictWords(report) {
  const checked = `${counted(report.entries_checked ?? 0, 'entry', 'entries')} checked`;
  const bad = report.first_bad;
  const place = bad ? [bad.file?.split('/').pop(), bad.line === null || bad.line === undefined ? '' : `line ${bad.line}`, bad.seq === null || bad.seq === undefined ? '' : `entry ${bad.seq}`].filter(Boolean).join(', ') : '';
  const where = bad ? `${bad.cause}${place === '' ? '' : `: ${place}`}` : '';
  return {
    ok: { word: 'Valid', text: 'Every entry is where it was written, and as it was written.', where, checked },
    tampered: { word: 'Tampered', text: 'The log was changed after it was written. Keep the files as they are and compare them with a copy.', where, checked },
    incomplete: { word: 'Incomplete', text: 'Nothing contradicts the log, but something that should be there is missing.', where, checked },
    no_integrity: { word: 'Unprotected', text: 'The chain hash was switched off for a part of the log, so changes there would not show.', where, checked },
  }[report.verdict] ?? { word: 'Unknown', text: 'The verdict is not one this page knows.', where, checked };
}
