/** The list of runs: newest first, live, filtered by status. */
import { getJson } from './api.js';
import { el, fill, loading, notice } from './dom.js';
import { ago, duration, runTitle } from './words.js';

const filters = [['', 'All'], ['running', 'Running'], ['completed', 'Done'], ['failed', 'Failed']];

/** Fills `pane` and keeps it current. `update(run)` and `remove(id)` take changes; `select(id)` marks the open run. */
export function createRunList(pane) {
  const runs = new Map();
  const items = el('ul', { class: 'runs' });
  const more = el('button', { class: 'more', type: 'button', hidden: true, onclick: () => load(cursor) }, 'Show older runs');
  const body = el('div', { class: 'pane-body' });
  const buttons = filters.map(([value, label]) => el('button', { type: 'button', 'aria-pressed': String(value === ''), onclick: () => choose(value) }, label));
  let status = '';
  let cursor = null;
  let selected = null;
  let failure = null;
  let loaded = false;

  fill(pane, el('div', { class: 'pane-head' }, el('h1', { id: 'runs-title' }, 'Runs'), el('div', { class: 'segments', role: 'group', 'aria-label': 'Show runs that are' }, buttons)), body);

  function choose(value) {
    status = value;
    buttons.forEach((button, at) => button.setAttribute('aria-pressed', String(filters[at][0] === value)));
    draw();
  }

  async function load(from = null) {
    if (!loaded) fill(body, loading(6, 'Loading runs'));
    try {
      const page = await getJson(`/api/v2/runs?limit=50${from === null ? '' : `&cursor=${encodeURIComponent(from)}`}`);
      if (from === null) runs.clear();
      for (const run of page.data) runs.set(run.id, run);
      cursor = page.next_cursor;
      failure = null;
      loaded = true;
    } catch (error) {
      failure = error;
    }
    draw();
  }

  function draw() {
    more.hidden = cursor === null;
    if (failure !== null && runs.size === 0) {
      fill(body, notice('error', 'Runs cannot be shown', failure.message, el('button', { type: 'button', onclick: () => load() }, 'Try again')));
      return;
    }
    if (!loaded) return;
    const shown = [...runs.values()].filter((run) => status === '' || run.status === status).sort((a, b) => (a.id < b.id ? 1 : -1));
    if (shown.length === 0) {
      fill(body, runs.size === 0
        ? notice('empty', 'No run yet', 'Start one in a project directory:', el('code', {}, 'loki start prd.md'))
        : notice('empty', 'None', 'No run in this list has that status.'), more);
      return;
    }
    fill(items, shown.map(row));
    fill(body, items, more);
  }

  function row(run) {
    const now = Date.now();
    const took = run.started_at ? duration((run.ended_at ? Date.parse(run.ended_at) : now) - Date.parse(run.started_at)) : '';
    const progress = run.result_summary ?? {};
    const step = run.status === 'running' && progress.phase ? `${progress.phase.toLowerCase()}, iteration ${progress.iteration}` : run.status;
    return el('li', {}, el('a', { href: `#/runs/${run.id}`, class: 'run', 'data-status': run.status, 'aria-current': run.id === selected ? 'page' : null },
      el('span', { class: 'dot', 'aria-hidden': 'true' }),
      el('span', { class: 'run-title' }, runTitle(run)),
      el('span', { class: 'run-when' }, ago(run.created_at, now)),
      el('span', { class: 'run-step' }, step),
      el('span', { class: 'run-took' }, took)));
  }

  const tick = setInterval(() => { if (!document.hidden && loaded && !body.contains(document.activeElement)) draw(); }, 10_000);
  return {
    load,
    update(run) {
      runs.set(run.id, run);
      if (loaded) draw();
    },
    remove(id) {
      runs.delete(id);
      draw();
    },
    select(id) {
      selected = id;
      for (const link of items.querySelectorAll('a')) {
        if (link.getAttribute('href') === `#/runs/${id}`) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      }
    },
    newest: () => [...runs.keys()].sort().pop() ?? null,
    close: () => clearInterval(tick),
  };
}
