// What `/review` tells beside the queue: how far reviewers agree, whom to believe, and what the store
// refused for good.

import {ask, button, element, field, plural, problemOf, tell, time} from '/web/page.js';

function table(title, heads, rows) {
  const made = element('table', 'sheet', element('caption', '', title),
    element('thead', '', element('tr', '', ...heads.map((head) => {
      const cell = element('th', '', head);
      cell.scope = 'col';
      return cell;
    }))),
    element('tbody', '', ...rows.map((cells) => element('tr', '', ...cells.map((cell, at) => {
      const made = element('td', '', ...[cell].flat());
      made.dataset.head = heads[at];  // what it is called where the table is too wide
      return made;
    })))));
  return made;
}

// A panel that is drawn anew each time it is looked at, or that says why it cannot be.
function draw(panel, replies, make) {
  const failed = replies.find((reply) => !reply.ok);
  if (!failed) return panel.replaceChildren(...make());
  const problem = element('p', 'error', problemOf(failed));
  problem.setAttribute('role', 'alert');
  panel.replaceChildren(problem);
}

function line(kind = 'error') {
  const made = element('p', kind);
  made.setAttribute('role', 'status');
  made.hidden = true;
  return made;
}

// ---- agreement ---------------------------------------------------------------------------------

const kappa = (value) => value === null || value === undefined ? 'not defined' : value.toFixed(3);
const taskNames = {label: 'Label', bnac: 'BNAC', backoff: 'Backoff'};

function overlapForm(overlap, said) {
  const input = element('input');
  input.type = 'number';
  input.min = '1';
  input.max = '20';
  input.required = true;
  input.value = overlap;
  const form = element('form', 'toolbar', field('Reviewers who must agree', input),
                       element('button', 'plain', 'Set'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const reply = await ask('PATCH', '/admin/api/settings', {body: {overlap: Number(input.value)}});
    tell(said, reply.ok ? `From now on ${plural(reply.body.overlap, 'reviewer', 'reviewers')} must agree.` :
      problemOf(reply), reply.ok ? 'good' : 'error');
  });
  return form;
}

export async function showAgreement(panel) {
  const reply = await ask('GET', '/admin/api/agreement');
  draw(panel, [reply], () => {
    const said = line();
    const order = ['label', 'bnac', 'backoff'];
    const all = [...reply.body.agreement].sort((a, b) => order.indexOf(a.task) - order.indexOf(b.task));
    const rows = all.map((each) => [taskNames[each.task] || each.task,
      each.proposals.toLocaleString(), each.reviewers.toLocaleString(), kappa(each.cohen), kappa(each.fleiss)]);
    return [element('h2', '', 'How far reviewers agree'),
      table('Over what at least two of them decided independently',
            ['Task', 'Proposals', 'Reviewers', 'Cohen’s kappa', 'Fleiss’ kappa'], rows),
      element('p', 'soft', '1 is perfect agreement, 0 what chance would give. Cohen’s is for two reviewers, ' +
        'Fleiss’ for any number; adjudications and skips are left out, and a rejection counts as a class of its own.'),
      element('h2', '', 'How many must agree'), overlapForm(reply.body.overlap, said), said];
  });
}

// ---- contributors ------------------------------------------------------------------------------

const counts = (proposals) => Object.entries(proposals).filter(([, count]) => count)
  .map(([status, count]) => `${count.toLocaleString()} ${status}`).join(', ') || 'none';

function releaseButton(name, panel, said) {
  return button('Release', 'plain', async (event) => {
    event.target.disabled = true;
    const reply = await ask('POST', `/admin/api/contributors/${encodeURIComponent(name)}/release`);
    event.target.disabled = false;
    if (!reply.ok) return tell(said, problemOf(reply));
    const text = `${name} is released: ${plural(reply.body.released, 'proposal waits', 'proposals wait')} for review again.`;
    await showContributors(panel, text);
  });
}

export async function showContributors(panel, text = '') {
  const [people, hits] = await Promise.all(
    [ask('GET', '/admin/api/contributors'), ask('GET', '/admin/api/quarantine')]);
  draw(panel, [people, hits], () => {
    const said = line();
    tell(said, text, 'good');
    const held = (each) => each.held_reason ?
      [element('span', 'warn', `held: ${each.held_reason} `), releaseButton(each.name, panel, said)] : 'no';
    const rows = people.body.contributors.map((each) => [element('strong', '', each.name),
      each.weight.toFixed(2), each.agreed.toLocaleString(), each.disagreed.toLocaleString(),
      counts(each.proposals), held(each)]);
    const told = hits.body.hits.map((hit) => [time(hit.hit_at), hit.contributor,
      `${hit.rule}: ${hit.detail}`, hit.proposals.toLocaleString(),
      hit.released_at ? [`${hit.released_by}, `, time(hit.released_at)] : 'not yet']);
    return [element('h2', '', 'Contributors'), said, rows.length ?
      table('A new one weighs 0.80; each label that reviewers confirm or refuse moves it',
            ['Name', 'Weight', 'Confirmed', 'Refused', 'Proposals', 'Held'], rows) :
      element('p', 'soft', 'Nobody has contributed yet.'),
    element('h2', '', 'Quarantine'), told.length ?
      table('What rules set aside, the newest first',
            ['When', 'Contributor', 'Rule', 'Proposals', 'Released by'], told) :
      element('p', 'soft', 'No rule has set anything aside.'),
    element('p', 'soft', 'Releasing lets the proposals wait for review again, and the rules count anew from there. Rejecting needs no release.')];
  });
}

// ---- dead letters ------------------------------------------------------------------------------

// Thrown away is what somebody was told is kept: two presses.
function discardButton(letter, panel, said) {
  let sure = false;
  return button('Throw away', 'plain bad', async (event) => {
    if (!sure) {
      sure = true;
      event.target.textContent = 'Throw away for good?';
      return;
    }
    const reply = await ask('DELETE', `/admin/api/dead-letters/${letter.id}?confirm=true`);
    if (!reply.ok) return tell(said, problemOf(reply));
    await showDeadLetters(panel, `Letter ${letter.id} is gone.`);
  });
}

function retryButton(letter, panel, said) {
  return button('Try again', 'plain', async (event) => {
    event.target.disabled = true;
    const reply = await ask('POST', `/admin/api/dead-letters/${letter.id}/retry`);
    event.target.disabled = false;
    if (!reply.ok) return tell(said, problemOf(reply));
    await showDeadLetters(panel, `Letter ${letter.id} is delivered again; if the store refuses it once more, it comes back here.`);
  });
}

export async function showDeadLetters(panel, text = '') {
  const reply = await ask('GET', '/admin/api/dead-letters');
  draw(panel, [reply], () => {
    const said = line();
    tell(said, text, 'good');
    const rows = reply.body.dead.map((each) => [String(each.id), time(each.died_at), each.contributor,
      each.proposals.toLocaleString(), each.why,
      element('span', 'row', retryButton(each, panel, said), discardButton(each, panel, said))]);
    return [element('h2', '', 'Dead letters'), said, rows.length ?
      table('Contributions of this server’s spool that the store refused for good',
            ['Number', 'When', 'Contributor', 'Proposals', 'Why', 'And now'], rows) :
      element('p', 'soft', 'None: the store has taken everything that this server acknowledged.'),
    element('p', 'soft', 'They hold up nobody, and nobody but you throws them away. Mend the cause, then try again.')];
  });
}
