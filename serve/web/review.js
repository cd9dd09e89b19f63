// The page at `/review`: its tabs, its keys, and the queue's buttons.

import {byId} from '/web/page.js';
import {Queue} from '/web/review_queue.js';
import {showAgreement, showContributors, showDeadLetters} from '/web/review_reports.js';

const queue = new Queue();

// ---- tabs --------------------------------------------------------------------------------------

const tabs = ['queue', 'agreement', 'contributors', 'dead'];
const reports = {agreement: showAgreement, contributors: showContributors, dead: showDeadLetters};

function showTab(name) {
  for (const each of tabs) {
    const tab = byId(`tab-${each}`);
    tab.setAttribute('aria-selected', String(each === name));
    tab.tabIndex = each === name ? 0 : -1;
    byId(`${each}-panel`).hidden = each !== name;
  }
  history.replaceState(null, '', name === 'queue' ? '/review' : `/review#${name}`);
  if (reports[name]) reports[name](byId(`${name}-panel`));
}

for (const [at, name] of tabs.entries()) {
  byId(`tab-${name}`).addEventListener('click', () => showTab(name));
  byId(`tab-${name}`).addEventListener('keydown', (event) => {
    const to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const other = tabs[(to + tabs.length) % tabs.length];
    byId(`tab-${other}`).focus();
    showTab(other);
  });
}

// ---- keys --------------------------------------------------------------------------------------

const keySwitch = 'rebound-single-keys';
byId('keys-on').checked = sessionStorage.getItem(keySwitch) !== 'off';
byId('keys-on').addEventListener('change', () => {
  sessionStorage.setItem(keySwitch, byId('keys-on').checked ? 'on' : 'off');
});

const ofTheOpenOne = {
  a: (row) => row.decide('approved'),
  r: (row) => row.relabel(),
  x: (row) => row.decide('rejected'),
  s: (row) => row.decide('skipped'),
  c: (row) => { row.cluster.input.checked = !row.cluster.input.checked; },
  n: (row) => row.notes.focus(),
  h: (row) => row.showHistory(),
  m: (row) => {
    row.mark.checked = !row.mark.checked;
    queue.select(row);
  },
};
const ofTheQueue = {
  j: () => queue.move(1), k: () => queue.move(-1), u: () => queue.undo(), '?': () => byId('help').showModal(),
};

// Where letters are typed, or a label is being chosen, they are no decisions.
const isTyping = (target) => target.matches('input:not([type="checkbox"]), textarea, select') ||
  target.closest('.relabel') !== null;

document.addEventListener('keydown', (event) => {
  if (byId('queue-panel').hidden || document.querySelector('dialog[open]')) return;
  if (event.key === 'Escape' && queue.current && queue.current.element.contains(event.target)) {
    queue.current.closeRelabel();
    return queue.open(queue.current);
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !'jk'.includes(event.key)) return;
  if (isTyping(event.target) || !byId('keys-on').checked && event.key !== '?') return;
  const act = ofTheQueue[event.key] || (queue.current && ofTheOpenOne[event.key]);
  if (!act) return;
  event.preventDefault();
  act(queue.current);
});

// ---- the queue's buttons -----------------------------------------------------------------------

byId('status').addEventListener('change', () => queue.first());
byId('sort').addEventListener('change', () => queue.first());
byId('source').addEventListener('change', () => queue.first());
byId('unreviewed').addEventListener('change', () => queue.first());
byId('of-one').addEventListener('click', () => queue.showOf(''));
byId('find').addEventListener('submit', (event) => {
  event.preventDefault();
  queue.first();
});
byId('refresh').addEventListener('click', () => queue.load());
byId('previous').addEventListener('click', () => queue.previous());
byId('next').addEventListener('click', () => queue.next());
byId('undo').addEventListener('click', () => queue.undo());
byId('told-undo').addEventListener('click', () => queue.undo());
byId('keys').addEventListener('click', () => byId('help').showModal());
byId('select-all').addEventListener('change', () => queue.selectAll(byId('select-all').checked));
byId('unselect').addEventListener('click', () => queue.selectAll(false));
byId('go').addEventListener('submit', (event) => {
  event.preventDefault();
  queue.goTo(Number(byId('number').value));
});
byId('bulk').addEventListener('submit', (event) => event.preventDefault());
for (const each of byId('bulk').querySelectorAll('[data-status]')) {
  each.addEventListener('click', () => queue.decideMany(each.dataset.status));
}

const wanted = location.hash.slice(1);
if (/^\d+$/.test(wanted)) queue.only = Number(wanted);  // `/review#17`
queue.load();
if (reports[wanted]) showTab(wanted);
