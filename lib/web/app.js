/** Which page is shown, and what is always on it: the list of runs, the connection, the verdict. */
import { openStream } from './api.js';
import { checkLog, showRecord } from './audit.js';
import { fill, notice } from './dom.js';
import { createRunList } from './runs.js';
import { noSuchRun, showRun } from './timeline.js';
import { pageOf } from './words.js';

const byId = (id) => document.getElementById(id);
const [main, view, chip, connection] = [byId('main'), byId('view'), byId('verdict'), byId('connection')];
const list = createRunList(byId('runs'));
const connectionWords = { live: 'Live', reconnecting: 'Reconnecting' };
let leave = () => undefined;

function show() {
  leave();
  leave = () => undefined;
  const { name, id } = pageOf(location.hash);
  main.dataset.page = name === 'missing' ? 'run' : name;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.page === (name === 'record' ? 'record' : 'runs')) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  list.select(id);
  if (name === 'record') leave = showRecord(view, chip);
  else if (name === 'run') leave = showRun(view, id);
  else if (name === 'missing') fill(view, noSuchRun(id));
  else fill(view, notice('empty', 'Choose a run', 'Its timeline appears here, live: what the agent did, what was allowed, what was not, and why.'));
}

/** On a wide page with nothing chosen, the newest run is what one came to see. */
function showNewest() {
  const newest = list.newest();
  if (newest !== null && main.dataset.page === 'runs' && matchMedia('(min-width: 821px)').matches) location.replace(`#/runs/${newest}`);
}

addEventListener('hashchange', () => {
  show();
  if (main.dataset.page !== 'runs') view.focus({ preventScroll: true });
});

openStream((last) => `/api/events${last === '' ? '' : `?after=${last}`}`, {
  on: { ready: () => undefined, run: (run) => list.update(run), removed: ({ id }) => list.remove(id) },
  restart: () => list.load(),
  state(next) {
    connection.dataset.state = next;
    connection.textContent = connectionWords[next] ?? '';
  },
});

show();
void list.load().then(showNewest);
if (main.dataset.page !== 'record') checkLog(chip).catch(() => undefined);
