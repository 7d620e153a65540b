/** The log of record: whether it holds, what is in it, its newest entries. */
import { getJson } from './api.js';
import { el, fill, loading, notice } from './dom.js';
import { aboutEntry, clockTime, count, counted, verdictWords } from './words.js';

const periods = [['1h', 'Hour'], ['24h', 'Day'], ['7d', 'Week'], ['30d', 'Month']];
const levels = ['', 'info', 'warning', 'error'];
/** Bars shown of one kind; the rest is counted together. */
const mostBars = 12;

/** Asks for the verdict and shows it in the header. Returns the report. */
export async function checkLog(chip) {
  chip.dataset.verdict = 'checking';
  chip.textContent = 'Checking the log';
  try {
    const report = await getJson('/api/v2/audit/verify');
    chip.dataset.verdict = report.verdict;
    chip.textContent = `Log ${verdictWords(report).word.toLowerCase()}`;
    return report;
  } catch (error) {
    chip.dataset.verdict = 'error';
    chip.textContent = 'Log not checked';
    throw error;
  }
}

/** Shows the record in `view`. Returns what ends it. */
export function showRecord(view, chip) {
  const control = new AbortController();
  const verdict = el('div', { class: 'card verdict' });
  const summary = el('div', { class: 'card' });
  const entries = el('div', { class: 'card' });
  fill(view, el('div', { class: 'pane-head' }, el('h1', {}, 'Record')), el('div', { class: 'pane-body record', tabindex: '0', 'aria-label': 'Record' }, verdict, summary, entries));
  void showVerdict(verdict, chip);
  void showSummary(summary, '24h', control.signal);
  void showEntries(entries, '', control.signal);
  return () => control.abort();
}

async function showVerdict(card, chip) {
  const again = el('button', { type: 'button', onclick: () => showVerdict(card, chip) }, 'Check again');
  fill(card, el('h2', {}, 'Integrity'), loading(2, 'Reading the whole log'));
  try {
    const report = await checkLog(chip);
    const { word, text, where, checked } = verdictWords(report);
    card.dataset.verdict = report.verdict;
    fill(card,
      el('div', { class: 'card-head' }, el('h2', {}, 'Integrity'), again),
      el('p', { class: 'verdict-word' }, el('span', { class: 'seal', 'aria-hidden': 'true' }), word, el('small', {}, checked)),
      el('p', {}, text),
      where === '' ? null : el('p', { class: 'where' }, where),
      (report.chains ?? []).length < 2 ? null : el('ul', { class: 'chains' }, report.chains.map((chain) => el('li', { 'data-verdict': chain.verdict }, el('span', { class: 'dot', 'aria-hidden': 'true' }), el('span', {}, chain.chain), el('span', {}, verdictWords(chain).word.toLowerCase()), el('span', {}, counted(chain.entries_checked ?? 0, 'entry', 'entries'))))));
  } catch (error) {
    card.dataset.verdict = 'error';
    fill(card, el('h2', {}, 'Integrity'), notice('error', 'The log was not checked', error.message, again));
  }
}

async function showSummary(card, period, signal) {
  const buttons = periods.map(([value, label]) => el('button', { type: 'button', 'aria-pressed': String(value === period), onclick: () => showSummary(card, value, signal) }, label));
  const head = (total) => el('div', { class: 'card-head' }, el('h2', {}, 'Activity', total === null ? null : el('small', {}, counted(total, 'entry', 'entries'))), el('div', { class: 'segments', role: 'group', 'aria-label': 'Of the last' }, buttons));
  fill(card, head(null), loading(4, 'Counting'));
  try {
    const found = await getJson(`/api/v2/audit/summary?period=${period}`, signal);
    if (found.total_events === 0) {
      fill(card, head(0), notice('empty', 'Nothing in this time', 'Entries appear as agents work.'));
      return;
    }
    fill(card, head(found.total_events), el('div', { class: 'columns' }, bars('Events', found.by_type), el('div', {}, bars('Who', found.by_actor), bars('Levels', found.by_level))));
  } catch (error) {
    if (!signal.aborted) fill(card, head(null), notice('error', 'Not counted', error.message));
  }
}

function bars(title, counts) {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const rest = sorted.slice(mostBars).reduce((sum, [, value]) => sum + value, 0);
  const shown = [...sorted.slice(0, mostBars), ...(rest === 0 ? [] : [['others', rest]])];
  const most = Math.max(1, ...shown.map(([, value]) => value));
  return el('table', { class: 'bars' }, el('caption', {}, title), el('tbody', {}, shown.map(([name, value]) => {
    const bar = el('span', { class: 'amount', 'aria-hidden': 'true' });
    bar.style.width = `${Math.max(1.5, (value / most) * 100)}%`;
    return el('tr', {}, el('th', { scope: 'row' }, name), el('td', { class: 'bar-cell' }, bar), el('td', { class: 'number' }, count(value)));
  })));
}

async function showEntries(card, level, signal) {
  const choice = el('select', { 'aria-label': 'Level', onchange: (event) => showEntries(card, event.target.value, signal) }, levels.map((one) => el('option', { value: one, selected: one === level }, one === '' ? 'every level' : one)));
  const body = el('tbody');
  const more = el('button', { class: 'more', type: 'button', hidden: true }, 'Show older entries');
  const head = el('div', { class: 'card-head' }, el('h2', {}, 'Newest entries'), choice);
  const query = `/api/v2/audit?limit=50${level === '' ? '' : `&level=${level}`}`;
  const load = async (cursor) => {
    const page = await getJson(cursor === null ? query : `${query}&cursor=${encodeURIComponent(cursor)}`, signal);
    body.append(...page.data.map(entryRow));
    more.hidden = page.next_cursor === null;
    more.onclick = () => load(page.next_cursor).catch((error) => { more.textContent = error.message; });
  };
  fill(card, head, loading(5, 'Loading entries'));
  try {
    await load(null);
    if (body.childElementCount === 0) fill(card, head, notice('empty', 'No entries', 'The log has none of this kind.'));
    else {
      fill(card, head, el('div', { class: 'table-scroll', tabindex: '0', 'aria-label': 'Newest entries' }, el('table', { class: 'entries' },
        el('thead', {}, el('tr', {}, ['#', 'Time (UTC)', 'Event', 'Who', 'What'].map((name) => el('th', { scope: 'col' }, name)))), body)), more);
    }
  } catch (error) {
    if (!signal.aborted) fill(card, head, notice('error', 'Entries cannot be shown', error.message));
  }
}

function entryRow(entry) {
  const about = aboutEntry(entry);
  return el('tr', { 'data-level': entry.level },
    el('td', { class: 'number' }, entry.seq), el('td', { class: 'mono' }, clockTime(entry.timestamp, Date.now())), el('td', {}, entry.event), el('td', {}, entry.actor),
    el('td', { class: 'about', title: about }, about));
}
