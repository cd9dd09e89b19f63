// "Is this wrong?" beneath an answer: labels and a comment, the masked text to look at, and then
// POST /api/proposals. Nothing is sent that was not shown before.

import {ask, byId, element, problemOf, tell} from '/web/page.js';
import {definitions, LabelChoice} from '/web/labels.js';
import {label, row} from '/web/proposals.js';

let message = '';
let answered = {};   // what the server said of the message, by task
let meanings = null;
let choice = null;
let previewed = '';  // the contribution that the preview shows, as JSON
// One key a contribution: sent again after an answer that got lost, it counts once.
let ticket = {content: '', key: ''};

function keyFor(content) {
  if (ticket.content !== content) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));  // randomUUID wants HTTPS
    const key = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    ticket = {content, key: `page-${key}`};
  }
  return ticket.key;
}

function contribution() {
  const comment = byId('comment').value.trim();
  return {message, ...choice.value(), ...(comment ? {comment} : {})};
}

function closePreview() {
  previewed = '';
  byId('preview').hidden = true;
  byId('contribute-problem').hidden = true;
}

function openForm(open) {
  byId('contribute-form').hidden = !open;
  byId('contribute-open').setAttribute('aria-expanded', String(open));
  if (!open) closePreview();
}

// What is previewed must be what is sent.
function changed() {
  if (previewed && previewed !== JSON.stringify(contribution())) closePreview();
}

export function forgetContribution() {
  byId('contribute').hidden = true;
}

// A message was answered: whoever sees it may say that the answer is wrong. What was chosen for
// another message is dropped.
export function offerContribution(text, result) {
  byId('contribute').hidden = false;
  if (text === message) return;
  message = text;
  answered = {label: result.label, bnac: result.bnac && result.bnac.class,
              backoff: result.backoff && result.backoff.class};
  choice = null;
  byId('comment').value = '';
  byId('contribute-outcome').hidden = true;
  openForm(false);
}

async function toggle() {
  if (!byId('contribute-form').hidden) return openForm(false);
  byId('contribute-outcome').hidden = true;
  try {
    meanings = await definitions();
  } catch (error) {
    return tell(byId('contribute-problem'), error.message);
  }
  tell(byId('contribute-problem'), '');
  if (!choice) {
    const badges = {};
    for (const [task, name] of Object.entries(answered)) {
      if (name) badges[task] = {[name]: 'answered now'};
    }
    choice = new LabelChoice(meanings, {needed: true, none: 'No opinion', badges});
    byId('contribute-labels').replaceChildren(choice.element);
  }
  openForm(true);
  choice.focus();
}

async function preview() {
  const given = contribution();
  if (!given.label) {
    choice.focus();
    return tell(byId('contribute-problem'), 'Choose the label first.');
  }
  byId('contribute-preview').disabled = true;
  const reply = await ask('POST', '/api/proposals/preview',
                          {body: {message: given.message, comment: given.comment}});
  byId('contribute-preview').disabled = false;
  if (!reply.ok) return tell(byId('contribute-problem'), problemOf(reply));
  if (JSON.stringify(contribution()) !== JSON.stringify(given)) return;  // edited meanwhile
  tell(byId('contribute-problem'), '');
  const rows = ['label', 'bnac', 'backoff'].filter((task) => given[task]).flatMap(
    (task) => row(task === 'label' ? 'Label' : task.toUpperCase(), label(meanings, task, given[task])));
  if (reply.body.comment) rows.push(...row('Comment', reply.body.comment));
  byId('preview-text').textContent = reply.body.message_text;
  byId('preview-labels').replaceChildren(...rows);
  previewed = JSON.stringify(given);
  byId('preview').hidden = false;
  byId('preview-title').focus();
}

const afterwards = {
  pending: 'It waits for a reviewer.',
  disputed: 'Reviewers disagree about it; someone will decide.',
  quarantined: 'It is set aside until somebody has looked at what comes under your key.',
  approved: 'Reviewers have approved it.',
  rejected: 'Reviewers have rejected it.',
  skipped: 'Reviewers have left it undecided.',
};

// What became of it, in words.
function outcomeOf(reply) {
  const {id, status, outcome} = reply.body;
  const then = afterwards[status] || '';
  if (reply.status === 202) {
    return 'Kept. The database cannot be had at this moment: your contribution is on the server’s ' +
           'disk and reaches the store by itself.';
  }
  if (outcome === 'relabelled') return `Stored: your proposal ${id} about this text has these labels now. ${then}`;
  if (reply.status === 200) return `It is there already, as your proposal ${id}. ${then}`;
  return `Thank you. Stored as your proposal ${id}. ${then}`;
}

async function send() {
  const content = previewed;
  if (!content) return;
  byId('contribute-send').disabled = true;
  const reply = await ask('POST', '/api/proposals', {
    body: JSON.parse(content), headers: {'Idempotency-Key': keyFor(content)}});
  byId('contribute-send').disabled = false;
  if (reply.ok) {
    openForm(false);
    tell(byId('contribute-outcome'), outcomeOf(reply), reply.status === 202 ? 'warn' : 'good');
    byId('contribute-outcome').append(' ', element('a', '', 'See all of yours'));
    byId('contribute-outcome').lastChild.href = '/contributions';
    byId('contribute-open').focus();
    return;
  }
  const kept = reply.status === 0 ?
    ' Whether it was kept is not known: send it again, it counts once.' : ' It was not stored.';
  tell(byId('contribute-problem'), problemOf(reply) + kept);
}

byId('contribute-open').addEventListener('click', toggle);
byId('contribute-form').addEventListener('submit', (event) => {
  event.preventDefault();
  preview();
});
byId('contribute-form').addEventListener('input', changed);
byId('contribute-form').addEventListener('change', changed);
byId('contribute-send').addEventListener('click', send);
byId('contribute-change').addEventListener('click', () => {
  closePreview();
  choice.focus();
});
