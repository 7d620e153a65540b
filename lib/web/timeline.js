/** One run: what it is, how far it is, and everything that happened in it, live. */
import { getJson, openStream } from './api.js';
import { el, fill, loading, notice } from './dom.js';
import { clockTime, count, duration, groupOf, headline, kindOf, offset, outcomeOf, runTitle, shortId } from './words.js';

const filters = [['', 'Everything'], ['policy_decision', 'Decisions'], ['agent_action', 'Actions'], ['quality_gate', 'Gates'], ['problems', 'Problems']];
/** Rows kept in the page; the API has all of them. */
const mostRows = 4000;

/** In place of a run that the control plane does not have. */
export function noSuchRun(id) {
  return notice('error', 'There is no such run', id, el('a', { href: '#/' }, 'Back to all runs'));
}

/** Shows a run in `view`. Returns what ends it. */
export function showRun(view, id) {
  let run = null;
  /** The project's directory, left out of lines where it says nothing. */
  let root = null;
  let events = [];
  let waiting = [];
  let frame = 0;
  let filter = '';
  let hiddenRows = 0;
  const head = el('div', { class: 'run-head' });
  const track = el('div', { class: 'track', role: 'img' });
  const rows = el('ol', { class: 'timeline', 'aria-label': 'Timeline' });
  const scroller = el('div', { class: 'pane-body', tabindex: '0', 'aria-label': 'Timeline of the run' });
  const state = el('span', { class: 'stream-state', role: 'status' });
  const buttons = filters.map(([value, label]) => el('button', { type: 'button', 'aria-pressed': String(value === ''), onclick: () => choose(value) }, label));
  const toolbar = el('div', { class: 'toolbar' }, el('div', { class: 'segments', role: 'group', 'aria-label': 'Show' }, buttons), state);

  fill(view, el('a', { class: 'back', href: '#/' }, '‹ All runs'), head, track, toolbar, scroller);
  fill(scroller, loading(8, 'Loading the timeline'));

  const close = openStream((last) => `/api/runs/${id}/events${last === '' ? '' : `?after=${last}`}`, {
    on: {
      message: (event) => {
        waiting.push(event);
        frame ||= requestAnimationFrame(takeIn);
      },
      run: (next) => {
        run = next;
        if (root === null) void findRoot(next.project_id);
        frame ||= requestAnimationFrame(takeIn);
      },
    },
    restart() {
      events = [];
      waiting = [];
      hiddenRows = 0;
      run = null;
      fill(rows);
      fill(scroller, loading(8, 'Loading the timeline'));
    },
    state(next) {
      state.dataset.state = next;
      state.textContent = { live: 'Live', reconnecting: run === null ? 'Waiting for the control plane' : 'Reconnecting', ended: 'Complete' }[next] ?? '';
      if (next === 'reconnecting' && run === null) void sayWhy();
    },
  });

  /** A stream only says that it has failed; asking for the run itself tells why. */
  async function sayWhy() {
    const error = await getJson(`/api/v2/runs/${id}`).then(() => null, (reason) => reason);
    if (error === null || run !== null || !view.contains(scroller)) return;
    if (error.status !== 404) {
      fill(scroller, notice('error', 'This run cannot be shown', error.message, el('a', { href: '#/' }, 'Back to all runs')));
      return;
    }
    close();
    state.textContent = '';
    toolbar.hidden = true;
    fill(scroller, noSuchRun(id));
  }

  async function findRoot(projectId) {
    root = '';
    const project = await getJson(`/api/v2/projects/${projectId}`).catch(() => null);
    if (typeof project?.path !== 'string') return;
    root = `${project.path}/`;
    choose(filter);
  }

  const lineOf = (event) => (root ? headline(event).replaceAll(root, '') : headline(event));

  function choose(value) {
    filter = value;
    buttons.forEach((button, at) => button.setAttribute('aria-pressed', String(filters[at][0] === value)));
    fill(rows, events.filter(isShown).slice(-mostRows).map(row));
    drawBody();
  }

  const isShown = (event) => filter === '' || event.event_type === filter || groupOf(event) === filter || (filter === 'policy_decision' && event.event_type === 'approval') || (filter === 'quality_gate' && event.event_type === 'council');

  /** Everything that came since the last frame, at once. */
  function takeIn() {
    frame = 0;
    const fresh = waiting;
    waiting = [];
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48 || events.length === 0;
    events = events.concat(fresh);
    rows.append(...fresh.filter(isShown).map(row));
    while (rows.childElementCount > mostRows) {
      rows.firstElementChild.remove();
      hiddenRows += 1;
    }
    drawHead();
    drawTrack();
    drawBody();
    if (atEnd && fresh.length > 0 && run?.status === 'running') scroller.scrollTop = scroller.scrollHeight;
  }

  function drawBody() {
    if (run === null) return;
    if (rows.childElementCount === 0) {
      fill(scroller, events.length === 0
        ? notice('empty', run.status === 'pending' ? 'Waiting to start' : 'Nothing yet', 'Events appear here as they happen.')
        : notice('empty', 'None', 'Nothing of this kind happened in this run.'));
      return;
    }
    if (rows.parentNode === scroller && hiddenRows === 0) return;
    fill(scroller, hiddenRows === 0 ? null : el('p', { class: 'aside' }, `The first ${count(hiddenRows)} rows are not kept in this page. All of them: GET /api/runs/${id}/timeline`), rows);
  }

  const startedAt = () => Date.parse(run?.started_at ?? events[0]?.timestamp ?? '');
  const endedAt = () => (run?.ended_at ? Date.parse(run.ended_at) : Date.now());

  function drawHead() {
    if (run === null) return;
    const progress = run.result_summary ?? {};
    const tokens = (progress.input_tokens ?? 0) + (progress.output_tokens ?? 0);
    const decided = events.filter(({ event_type: type }) => type === 'policy_decision');
    const having = (wanted) => decided.filter(({ details }) => details.decision === wanted).length;
    const asked = new Set(events.map(({ details }) => details.approval_id).filter(Boolean)).size || having('REQUIRE_APPROVAL');
    const gates = progress.gates ?? [];
    const fact = (name, value, tone = null) => (value === null || value === undefined || value === '' ? null : el('div', { 'data-tone': tone }, el('dt', {}, name), el('dd', {}, value)));
    fill(head,
      el('div', { class: 'run-name' }, el('h2', {}, runTitle(run)), el('span', { class: 'pill', 'data-status': run.status }, run.status), el('code', { class: 'id', title: run.id }, shortId(run.id))),
      progress.reason ? el('p', { class: 'reason' }, progress.reason) : null,
      el('dl', { class: 'facts' },
        fact('Started', clockTime(run.started_at, Date.now())),
        fact('Took', run.started_at ? duration(endedAt() - startedAt()) : '–'),
        fact('Iteration', progress.iteration ? count(progress.iteration) : null),
        fact('Allowed', count(having('ALLOW')), having('ALLOW') > 0 ? 'good' : null),
        fact('Denied', count(having('DENY')), having('DENY') > 0 ? 'bad' : null),
        fact('Approvals', count(asked), asked > 0 ? 'wait' : null),
        fact('Gates', gates.length === 0 ? null : `${gates.filter(({ passed }) => passed).length} of ${gates.length}`, gates.length > 0 && gates.every(({ passed }) => passed) ? 'good' : null),
        fact('Tokens', tokens === 0 ? null : count(tokens)),
        fact('Provider', typeof run.config?.provider === 'string' ? run.config.provider : null),
        fact('Branch', progress.branch)));
  }

  /** Phases along the time they took. The change that ends a run begins a phase of no length. */
  function drawTrack() {
    const changes = events.filter(({ event_type: type }) => type === 'phase_change');
    const spans = changes.map(({ phase, timestamp, details }, at) => ({
      phase, iteration: details.iteration, from: Date.parse(timestamp), to: changes[at + 1] ? Date.parse(changes[at + 1].timestamp) : endedAt(),
    })).filter(({ phase, from, to }) => phase !== null && to - from > 50);
    track.hidden = spans.length === 0;
    const whole = spans.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0) || 1;
    track.setAttribute('aria-label', spans.map(({ phase, from, to }) => `${phase} ${duration(to - from)}`).join(', '));
    fill(track, spans.map(({ phase, iteration, from, to }, at) => {
      const part = el('span', { 'data-phase': phase, 'data-open': at === spans.length - 1 && run?.status === 'running', title: `${phase}${iteration ? `, iteration ${iteration}` : ''}: ${duration(to - from)}` }, el('b', {}, phase));
      part.style.flexGrow = String(Math.max((to - from) / whole, 0.015));
      return part;
    }));
  }

  function row(event) {
    const time = el('time', { datetime: event.timestamp, title: event.timestamp }, offset(Date.parse(event.timestamp) - startedAt()));
    if (event.event_type === 'phase_change') {
      return el('li', { class: 'phase-row', 'data-phase': event.phase }, time, el('h3', {}, event.phase ?? String(event.details.to ?? 'End')), el('span', {}, lineOf(event)));
    }
    const outcome = outcomeOf(event);
    const level = event.details.level;
    return el('li', { 'data-type': event.event_type, 'data-tone': outcome?.tone ?? (event.event_type === 'error' || level === 'error' ? 'bad' : level === 'warning' ? 'wait' : null) },
      el('details', {},
        el('summary', {}, time, el('span', { class: 'kind' }, kindOf(event)), el('span', { class: 'what' }, lineOf(event)), outcome === null ? null : el('span', { class: 'badge', 'data-tone': outcome.tone }, outcome.words)),
        details(event)));
  }

  function details(event) {
    const members = Object.entries({ ...event.details, phase: event.phase, time: event.timestamp, seq: event.seq }).filter(([, value]) => value !== null && value !== '');
    return el('dl', { class: 'members' }, members.map(([name, value]) => [el('dt', {}, name.replaceAll('_', ' ')), el('dd', {}, typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value))]));
  }

  const tick = setInterval(() => {
    if (document.hidden || run === null || run.status !== 'running') return;
    drawHead();
    drawTrack();
  }, 1000);

  return () => {
    clearInterval(tick);
    cancelAnimationFrame(frame);
    close();
  };
}
