// The queue of `/review`: which proposals are shown, which one is open, and the decisions about one,
// about many, and their undoing.

import {ask, byId, plural, problemOf, tell} from '/web/page.js';
import {definitions} from '/web/labels.js';
import {inWords, labelsOf} from '/web/proposals.js';
import {Row} from '/web/review_row.js';

const limit = 25;
const done = {approved: 'Accepted', rejected: 'Rejected', skipped: 'Skipped'};

export class Queue {
  constructor() {
    this.rows = [];
    this.page = 1;
    this.total = 0;
    this.only = 0;            // the one proposal that was asked for by number; 0: the list
    this.contributor = '';    // whose alone; '': everyone's
    this.asked = 0;           // the request whose answer counts
    this.definitions = null;
    this.weights = new Map();  // by contributor
    this.drafts = new Map();   // by id: notes that were typed and not sent
    this.marked = new Set();   // ids
    this.current = null;
    this.busy = false;
  }

  weightOf(name) { return this.weights.get(name); }

  // ---- the list --------------------------------------------------------------------------------

  filter() { return byId('status').value; }

  query() {
    const query = new URLSearchParams({page: this.page, limit, sort: byId('sort').value});
    if (this.filter()) query.set('status', this.filter());
    if (byId('unreviewed').checked) query.set('unreviewed', 'true');
    if (byId('source').value) query.set('source', byId('source').value);
    if (byId('words').value.trim()) query.set('q', byId('words').value.trim());
    if (this.contributor) query.set('contributor', this.contributor);
    return query;
  }

  // What the list is made of, without which it can be shown too.
  async learn() {
    const [all, people, stats] = await Promise.all([definitions().catch(() => null),
      ask('GET', '/admin/api/contributors'), ask('GET', '/admin/api/stats')]);
    this.definitions = all;
    if (people.ok) {
      for (const each of people.body.contributors) this.weights.set(each.name, each.weight);
    }
    if (stats.ok) this.showCounts(stats.body);
  }

  showCounts(stats) {
    for (const option of byId('status').options) {
      const count = option.value === 'untrained' ? stats.pendingTraining : stats.statusCounts[option.value];
      if (count === undefined) continue;
      option.textContent = `${option.textContent.replace(/ \([\d\s.,]*\)$/, '')} (${count.toLocaleString()})`;
    }
  }

  async load({focus = false} = {}) {
    const mine = ++this.asked;
    this.keepDrafts();
    byId('of-one').hidden = !this.contributor;
    byId('of-one').textContent = `Only ${this.contributor}’s: show everyone’s`;
    const [reply] = await Promise.all([
      this.only ? ask('GET', `/admin/api/proposals/${this.only}`) :
        ask('GET', `/admin/api/proposals?${this.query()}`),
      this.learn()]);
    if (mine !== this.asked) return;
    tell(byId('queue-problem'), reply.ok ? '' : problemOf(reply));
    if (!reply.ok) return;
    const views = this.only ? [reply.body] : reply.body.proposals;
    this.total = this.only ? 1 : reply.body.total;
    this.show(views);
    this.open(this.rows[0] || null, focus);
  }

  show(views) {
    this.rows = views.map((view) => {
      const made = new Row(view, this);
      made.notes.value = this.drafts.get(view.id) || '';
      made.mark.checked = this.marked.has(view.id);
      return made;
    });
    this.current = null;
    for (const id of [...this.marked]) {
      if (!views.some((view) => view.id === id)) this.marked.delete(id);
    }
    byId('queue').replaceChildren(...this.rows.map((each) => each.element));
    const pages = Math.max(1, Math.ceil(this.total / limit));
    byId('count').textContent = this.only ? `Proposal ${this.only}` :
      this.total ? plural(this.total, 'proposal', 'proposals') : 'Nothing waits here.';
    byId('where').textContent = pages > 1 ? `page ${this.page} of ${pages}` : '';
    byId('previous').hidden = this.page <= 1 && !this.only;
    byId('previous').textContent = this.only ? 'Back to the queue' : 'Previous page';
    byId('next').hidden = this.only !== 0 || this.page >= pages;
    this.showMarked();
  }

  keepDrafts() {
    for (const each of this.rows) {
      if (each.notes.value) this.drafts.set(each.view.id, each.notes.value);
      else this.drafts.delete(each.view.id);
    }
  }

  // Those that were decided have left this filter, so what comes next has moved up to this page.
  next() {
    const left = this.rows.filter((each) => byId('unreviewed').checked && each.decidedHere ||
      this.filter() && each.view.status !== this.filter()).length;
    if (left < this.rows.length) ++this.page;
    this.load({focus: true});
  }

  previous() {
    if (this.only) this.only = 0;
    else this.page = Math.max(1, this.page - 1);
    this.load({focus: true});
  }

  first() {
    this.only = 0;
    this.page = 1;
    this.load();
  }

  showOf(contributor) {
    this.contributor = contributor;
    this.first();
  }

  goTo(id) {
    this.only = id;
    this.load({focus: true});
  }

  // ---- the one that is open --------------------------------------------------------------------

  open(row, focus = true) {
    if (this.current && this.current !== row) this.current.expand(false);
    this.current = row;
    if (!row) return;
    row.expand(true);
    if (!focus) return;
    row.element.focus({preventScroll: true});
    row.element.scrollIntoView({block: 'nearest'});
  }

  move(by) {
    const at = this.rows.indexOf(this.current) + by;
    if (at >= 0 && at < this.rows.length) this.open(this.rows[at]);
  }

  // To the next one that waits; where none is left on this page, to what comes after it.
  advance() {
    const at = this.rows.indexOf(this.current);
    const rest = [...this.rows.slice(at + 1), ...this.rows.slice(0, at)];
    const waiting = rest.find((each) => !each.element.classList.contains('decided'));
    if (waiting) return this.open(waiting);
    if (this.only) return this.open(this.current);
    this.next();
  }

  find(id) { return this.rows.find((each) => each.view.id === id); }

  // ---- deciding --------------------------------------------------------------------------------

  async decide(row, status, labels) {
    if (this.busy) return;
    this.busy = true;
    row.busy(true);
    row.tellProblem('');
    const reply = await ask('PATCH', `/admin/api/proposals/${row.view.id}`,
                            {body: {status, ...labels, ...row.options()}});
    row.busy(false);
    this.busy = false;
    if (!reply.ok) return this.refused(row, reply);
    await this.accepted(row, status, reply.body);
  }

  async accepted(row, status, body) {
    const {id} = row.view;
    row.notes.value = '';
    this.drafts.delete(id);
    this.marked.delete(id);
    row.mark.checked = false;
    row.closeRelabel();
    row.cluster.input.checked = false;
    row.adjudicate.input.checked = false;
    row.show(body.proposal);
    const decided = inWords(labelsOf(body.proposal, 'decided'));
    let said = body.updated > 1 ? `${done[status]}, ${body.updated} proposals in all.` : `${done[status]}.`;
    if (status === 'approved' && body.proposal.status === 'approved') said = `${said.slice(0, -1)}: ${decided}.`;
    if (body.proposal.status === 'pending') said += ' It waits for another reviewer.';
    if (body.proposal.status === 'disputed') said += ' Reviewers disagree about it now.';
    row.tellSaid(said);
    row.decidedHere = true;
    this.told(`${id}: ${said}`, true);
    this.showMarked();
    this.countAgain();
    if (body.updated > 1) {
      await this.lookAgain((each) => each.view.cluster_id === row.view.cluster_id && each !== row);
    }
    this.advance();
  }

  // Nothing is lost: notes and labels stay. What somebody else decided meanwhile is shown, and so is
  // what became of a decision whose answer was lost.
  async refused(row, reply) {
    const again = reply.status === 0 ? ' Do it again: the same decision counts once.' : '';
    row.tellProblem(problemOf(reply) + again);
    this.open(row);
    if (reply.status !== 409 && reply.status !== 404 && reply.status !== 0 && reply.status < 500) return;
    await this.lookAgain((each) => each === row);
  }

  async lookAgain(which) {
    for (const each of this.rows.filter(which)) {
      const reply = await ask('GET', `/admin/api/proposals/${each.view.id}`);
      if (!reply.ok) continue;
      const before = each.view.status;
      each.show(reply.body);
      if (before !== reply.body.status && this.filter() && this.filter() !== reply.body.status) {
        each.tellSaid(`It is ${reply.body.status} now.`);
      }
    }
  }

  async countAgain() {
    const reply = await ask('GET', '/admin/api/stats');
    if (reply.ok) this.showCounts(reply.body);
  }

  async undo() {
    if (this.busy) return;
    this.busy = true;
    const reply = await ask('POST', '/admin/api/proposals/undo');
    this.busy = false;
    if (!reply.ok) return this.told(problemOf(reply), false);
    const views = reply.body.proposals || [];
    if (!reply.body.updated) return this.told('There is no decision of yours to take back.', false);
    for (const view of views) {
      const row = this.find(view.id);
      if (!row) continue;
      row.show(view);
      row.tellSaid('');
      row.tellProblem('');
      row.decidedHere = false;
    }
    this.told(`Taken back: ${plural(reply.body.updated, 'proposal', 'proposals')}` +
              `${views.length === 1 ? `, number ${views[0].id}` : ''}.`, false);
    this.countAgain();
    const back = this.find((views[0] || {}).id);
    if (back) this.open(back);
    else if (!this.only) this.load({focus: true});
  }

  // A line at the page's foot, with a way to take it back.
  told(text, undo) {
    byId('told').hidden = false;  // first, so that it is heard
    byId('told-undo').hidden = !undo;
    byId('told-text').textContent = text;
  }

  // ---- many at once ----------------------------------------------------------------------------

  select(row) {
    if (row.mark.checked) this.marked.add(row.view.id);
    else this.marked.delete(row.view.id);
    this.showMarked();
  }

  selectAll(on) {
    for (const each of this.rows) {
      each.mark.checked = on;
      if (on) this.marked.add(each.view.id);
    }
    if (!on) this.marked.clear();
    this.showMarked();
  }

  showMarked() {
    byId('bulk').hidden = this.marked.size === 0;
    byId('selected').textContent = `${plural(this.marked.size, 'proposal is', 'proposals are')} selected`;
    byId('select-all').checked = this.rows.length > 0 && this.marked.size === this.rows.length;
    byId('select-all').indeterminate = this.marked.size > 0 && this.marked.size < this.rows.length;
    if (this.marked.size === 0) tell(byId('bulk-problem'), '');
  }

  async decideMany(status) {
    if (this.busy || this.marked.size === 0) return;
    this.busy = true;
    const body = {ids: [...this.marked], status};
    if (byId('bulk-notes').value.trim()) body.notes = byId('bulk-notes').value.trim();
    if (byId('bulk-cluster').checked) body.cluster = true;
    if (byId('bulk-adjudicate').checked) body.adjudicate = true;
    const reply = await ask('POST', '/admin/api/proposals/bulk', {body});
    this.busy = false;
    if (!reply.ok) {
      tell(byId('bulk-problem'), `${problemOf(reply)} None of them was decided.`);
      if (reply.status === 409) this.lookAgain((each) => this.marked.has(each.view.id));
      return;
    }
    byId('bulk').reset();
    this.marked.clear();
    this.told(`${done[status]}: ${plural(reply.body.updated, 'proposal', 'proposals')}.`, true);
    this.load({focus: true});
  }
}
