// The page at `/contributions`: GET /api/proposals, page by page.

import {ask, byId, element, plural, problemOf, tell, time} from '/web/page.js';
import {definitions} from '/web/labels.js';
import {labelRows, labelsOf, row, statusMark} from '/web/proposals.js';

const limit = 20;
let page = 1;
let asked = 0;  // the request whose answer counts

// What reviewers made of it, in a sentence.
function verdict(proposal) {
  const proposed = JSON.stringify(labelsOf(proposal, 'proposed'));
  switch (proposal.status) {
    case 'approved':
      return `${JSON.stringify(labelsOf(proposal, 'decided')) === proposed ?
        'Approved as you said.' : 'Approved, with other labels than yours.'} ${proposal.trained ?
        'A snapshot for training holds it.' : 'The next snapshot for training takes it.'}`;
    case 'rejected': return 'Reviewers did not accept it.';
    case 'skipped': return 'Reviewers left it undecided.';
    case 'disputed': return 'Reviewers disagree; someone will decide.';
    case 'quarantined': return 'Set aside until somebody has looked at what came under your key.';
    case 'spooled': return 'It is safe, and will be stored as soon as the database is back.';
    default: return 'It waits for a reviewer.';
  }
}

function card(proposal, all) {
  const status = proposal.status || 'spooled';
  const list = element('dl', '', ...labelRows(proposal, all));
  if (proposal.comment) list.append(...row('Your comment', proposal.comment));
  const when = proposal.decided_at || proposal.created_at || proposal.accepted_at;
  return element('li', 'proposal card',
    element('div', 'head', proposal.id ? element('strong', '', `${proposal.id}`) : null,
      statusMark(status),
      when ? element('span', 'soft', proposal.decided_at ? 'decided ' : 'sent ', time(when)) : null),
    element('pre', 'text', proposal.message_text), list,
    element('p', 'verdict', verdict({...proposal, status})));
}

function showSpooled(body, all) {
  const spooled = body.spooled || [];
  const total = body.spooledTotal || spooled.length;
  byId('spooled').hidden = spooled.length === 0;
  byId('spooled-total').textContent =
    total > spooled.length ? `${plural(total, 'contribution', 'contributions')}; these are the last ones.` : '';
  byId('spooled-list').replaceChildren(...spooled.map((each) => card({...each, status: 'spooled'}, all)));
}

function showPage(body, all) {
  if (body.storeAvailable === false) {
    byId('count').textContent = 'The database cannot be had at this moment, and with it what is stored already. ' +
                                'Nothing is lost: look again later.';
    byId('count').className = 'warn';
    return;
  }
  byId('count').className = 'soft';
  const pages = Math.max(1, Math.ceil(body.total / limit));
  byId('list').replaceChildren(...body.proposals.map((each) => card(each, all)));
  byId('count').textContent = body.total ? plural(body.total, 'contribution', 'contributions') :
    'None. Where an answer on the first page is wrong, say so beneath it.';
  byId('where').textContent = pages > 1 ? `page ${page} of ${pages}` : '';
  byId('newer').hidden = page <= 1;
  byId('older').hidden = page >= pages;
}

async function load() {
  const mine = ++asked;
  const query = new URLSearchParams({page, limit});
  if (byId('status').value) query.set('status', byId('status').value);
  const [reply, all] = await Promise.all(
    [ask('GET', `/api/proposals?${query}`), definitions().catch(() => null)]);
  if (mine !== asked) return;
  tell(byId('problem'), reply.ok ? '' : problemOf(reply));
  if (!reply.ok) {
    byId('count').textContent = byId('list').children.length ? 'As it was before:' : 'Nothing can be shown.';
    return;
  }
  showSpooled(reply.body, all);
  showPage(reply.body, all);
}

function turn(by) {
  page += by;
  load().then(() => byId('stored-title').focus());
}

byId('status').addEventListener('change', () => {
  page = 1;
  load();
});
byId('refresh').addEventListener('click', load);
byId('newer').addEventListener('click', () => turn(-1));
byId('older').addEventListener('click', () => turn(1));
load();
