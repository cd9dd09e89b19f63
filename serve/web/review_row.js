// One proposal of the queue: what stands in it, the decisions about it, its near copies and history.
// What a reviewer types (notes, another label) outlives every redrawing of the data around it.

import {ask, button, checkbox, element, field, freshId, percent, plural, problemOf, tell, time} from '/web/page.js';
import {LabelChoice} from '/web/labels.js';
import {inWords, labelRows, labelsOf, row, statusMark} from '/web/proposals.js';

const isOpen = (status) => ['pending', 'disputed', 'quarantined'].includes(status);

function withKey(text, key, className, action) {
  const made = button('', className, action);
  made.append(`${text} `, element('kbd', '', key));
  made.setAttribute('aria-keyshortcuts', key);
  return made;
}

// What an audit row holds for machines, or what stands elsewhere on the page.
const bookkeeping = new Set(['created_at', 'changed_at', 'contributor', 'reviewer', 'agreed', 'disagreed',
  'suspicion', 'cost', 'uncertainty', 'disagreement', 'model_version', 'decided_at', 'superseded_by']);
const things = {proposals: 'the proposal', proposal_labels: 'its labels', reviews: 'a review',
  review_labels: 'the labels of a review', votes: 'a vote'};
const deeds = {insert: 'added', update: 'changed', delete: 'took away'};

const bare = (value) => typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) :
  typeof value === 'string' ? value : JSON.stringify(value);
const isNothing = (value) => value === undefined || value === null || value === '' || value === false;

// What an audit entry changed: "status pending → approved".
function changes(before, after) {
  const names = [...new Set([...Object.keys(before || {}), ...Object.keys(after || {})])];
  return names.filter((name) => !/(^|_)id$/.test(name) && !bookkeeping.has(name)).flatMap((name) => {
    const was = before ? before[name] : undefined;
    const is = after ? after[name] : undefined;
    if (isNothing(was) && isNothing(is) || JSON.stringify(was) === JSON.stringify(is)) return [];
    if (name === 'undone_at') return [is ? 'taken back' : 'no longer taken back'];
    const term = name.replaceAll('_', ' ');
    if (isNothing(was)) return [`${term} ${bare(is)}`];
    return [`${term} ${bare(was)}${after ? ` → ${isNothing(is) ? 'nothing' : bare(is)}` : ''}`];
  });
}

function historyLine(entry) {
  const told = changes(entry.before, entry.after);
  if (told.length === 0) return [];
  return [element('li', '', element('span', 'soft', time(entry.at), ' · '), element('strong', '', entry.actor),
    ` ${deeds[entry.action] || entry.action} ${things[entry.entity] || entry.entity}: `,
    element('span', 'soft', told.join(', ')))];
}

export class Row {
  // desk: definitions, weightOf(name), decide(row, status, labels), select(row), open(row),
  // showOf(contributor).
  constructor(view, desk) {
    this.desk = desk;
    this.decidedHere = false;  // by this reviewer, since the list was loaded
    this.notes = element('textarea', 'short');
    this.notes.maxLength = 1000;
    this.cluster = checkbox('');
    this.adjudicate = checkbox('decide alone (adjudicate): the other reviewers no longer count');
    this.adjudicate.input.addEventListener('change', () => this.enable());
    this.mark = element('input');
    this.mark.type = 'checkbox';
    this.mark.addEventListener('change', () => desk.select(this));
    this.problem = element('p', 'error');
    this.problem.setAttribute('role', 'alert');
    this.problem.hidden = true;
    this.said = element('p', 'good');
    this.said.hidden = true;
    this.head = element('div', 'head');
    this.text = element('pre', 'text');
    this.rows = element('dl');
    this.more = element('div', 'more');
    this.more.id = freshId('more');
    this.more.hidden = true;
    this.element = element('li', 'proposal card', this.head, this.text, this.rows, this.said,
                           this.problem, this.more);
    this.element.tabIndex = -1;
    this.element.addEventListener('click', (event) => {
      if (!event.target.closest('button, input, label, textarea, summary, a')) desk.open(this);
    });
    this.toggle = button('', 'number', () => desk.open(this));
    this.toggle.setAttribute('aria-controls', this.more.id);
    this.build();
    this.show(view);
    this.expand(false);
  }

  build() {
    this.accept = withKey('Accept', 'a', '', () => this.decide('approved'));
    this.relabelButton = withKey('Relabel', 'r', 'plain', () => this.relabel());
    this.relabelButton.setAttribute('aria-expanded', 'false');
    this.reject = withKey('Reject', 'x', 'plain bad', () => this.decide('rejected'));
    this.skip = withKey('Skip', 's', 'plain', () => this.decide('skipped'));
    this.relabelForm = element('form', 'relabel');
    this.relabelForm.hidden = true;
    this.relabelForm.addEventListener('submit', (event) => {
      event.preventDefault();
      this.decideRelabel();
    });
    this.copies = element('div');
    this.history = element('div');
    this.hint = element('p', 'warn');
    this.more.append(
      element('div', 'row', this.accept, this.relabelButton, this.reject, this.skip),
      this.hint, this.relabelForm,
      field('Notes, for reviewers (masked as texts are)', this.notes),
      this.cluster.label, this.adjudicate.label,
      element('div', 'row',
        button('Near copies', 'plain', () => this.showCopies()),
        withKey('History', 'h', 'plain', () => this.showHistory()),
        button('All of this contributor', 'plain', () => this.desk.showOf(this.view.contributor))),
      this.copies, this.history);
  }

  // Draws what the API says of it now.
  show(view) {
    this.view = view;
    const proposed = inWords(labelsOf(view, 'proposed'));
    this.mark.setAttribute('aria-label', `Select proposal ${view.id}`);
    this.toggle.textContent = String(view.id);
    this.element.setAttribute('aria-label', `Proposal ${view.id}: ${proposed}`);
    const weight = this.desk.weightOf(view.contributor);
    const facts = [view.contributor + (weight === undefined ? '' : `, weight ${weight.toFixed(2)}`)];
    if (view.source !== 'contribution') facts.push(`source ${view.source}`);
    if (view.cluster_volume > 1) facts.push(`proposed ${view.cluster_volume} times in near copies`);
    this.head.replaceChildren(this.mark, this.toggle, statusMark(view.status, view.status),
      element('span', 'soft', facts.join(' · '), ' · ', time(view.created_at)));
    this.text.textContent = view.message_text;
    this.rows.replaceChildren(...labelRows(view, this.desk.definitions), ...this.extraRows());
    const copies = view.cluster_volume > 1 ? `, proposed ${view.cluster_volume} times in all` : '';
    this.cluster.label.lastChild.textContent =
      ` apply to the whole cluster: every open near copy with the same labels${copies}`;
    this.adjudicate.label.hidden = ['pending', 'quarantined'].includes(view.status);
    if (this.adjudicate.label.hidden) this.adjudicate.input.checked = false;
    this.enable();
  }

  extraRows() {
    const {view} = this;
    const rows = [];
    if (view.reason) rows.push(...row('Set aside for', view.reason));
    if (view.comment) rows.push(...row('Comment', view.comment));
    const scores = [];
    if (view.cost) scores.push(`a mistake costs ${view.cost}`);
    if (view.disagreement) scores.push(`disagreement ${view.disagreement.toFixed(2)}`);
    if (view.uncertainty) scores.push(`uncertainty ${view.uncertainty.toFixed(2)}`);
    if (view.suspicion) scores.push(`label doubted by ${view.suspicion.toFixed(2)}`);
    if (view.trained) scores.push('in a snapshot');
    if (scores.length) rows.push(...row('Scores', element('span', 'soft', scores.join(', '))));
    return rows;
  }

  // What is decided is decided again only by somebody who says that they adjudicate; from the
  // quarantine there is only the way out by rejecting.
  enable() {
    const {status} = this.view;
    const may = isOpen(status) || this.adjudicate.input.checked;
    this.reject.disabled = !may;
    for (const each of [this.accept, this.relabelButton, this.skip]) {
      each.disabled = !may || status === 'quarantined';
    }
    tell(this.hint, status === 'quarantined' ?
      'It is quarantined: reject it, or release its contributor first (Contributors, above).' :
      may ? '' : `It is ${status} already: tick “decide alone” to decide it anew.`, 'warn');
  }

  expand(open) {
    this.more.hidden = !open;
    this.element.classList.toggle('open', open);
    this.toggle.setAttribute('aria-expanded', String(open));
    if (!open) this.closeRelabel();
  }

  tellProblem(text) { tell(this.problem, text); }

  tellSaid(text) {
    tell(this.said, text, 'good');
    this.element.classList.toggle('decided', Boolean(text));
  }

  busy(on) {
    this.element.setAttribute('aria-busy', String(on));
    for (const each of this.more.querySelectorAll('button')) each.disabled = on;
    if (!on) this.enable();
  }

  // ---- deciding --------------------------------------------------------------------------------

  // What goes with a decision.
  options() {
    const options = {};
    if (this.notes.value.trim()) options.notes = this.notes.value.trim();
    if (this.cluster.input.checked) options.cluster = true;
    if (this.adjudicate.input.checked) options.adjudicate = true;
    return options;
  }

  decide(status) {
    const by = {approved: this.accept, rejected: this.reject, skipped: this.skip}[status];
    if (by.disabled) return this.tellProblem(this.hint.textContent);
    this.desk.decide(this, status, {});
  }

  relabel() {
    if (this.relabelButton.disabled) return this.decide('approved');
    if (!this.relabelForm.hidden) return this.closeRelabel();
    if (!this.desk.definitions) return this.tellProblem('The labels cannot be had: look again.');
    const badges = {};
    const proposed = labelsOf(this.view, 'proposed');
    for (const [task, name] of Object.entries(proposed)) badges[task] = {[name]: 'proposed'};
    if (this.view.model_label) {
      const sure = `model, ${percent(this.view.model_confidence)}`;
      badges.label = {...badges.label};
      const before = badges.label[this.view.model_label];
      badges.label[this.view.model_label] = before ? `${before}; ${sure}` : sure;
    }
    this.choice = new LabelChoice(this.desk.definitions,
                                  {needed: true, none: 'As proposed', chosen: proposed, badges});
    this.relabelForm.replaceChildren(this.choice.element, element('div', 'row',
      element('button', '', 'Approve with these labels'),
      button('Leave it', 'plain', () => { this.closeRelabel(); this.relabelButton.focus(); })));
    this.relabelForm.hidden = false;
    this.relabelButton.setAttribute('aria-expanded', 'true');
    this.choice.pickers.get('label').find.focus();
  }

  closeRelabel() {
    this.relabelForm.hidden = true;
    this.relabelButton.setAttribute('aria-expanded', 'false');
  }

  decideRelabel() {
    const labels = this.choice.value();
    if (!Object.keys(labels).length) return this.tellProblem('Choose a label first.');
    this.desk.decide(this, 'approved', labels);
  }

  // ---- what else there is to know --------------------------------------------------------------

  async showCopies() {
    if (this.copies.hasChildNodes()) return this.copies.replaceChildren();
    const reply = await ask('GET', `/admin/api/proposals/${this.view.id}/cluster?limit=20`);
    if (!reply.ok) return this.tellProblem(problemOf(reply));
    const {proposals, total, served} = reply.body;
    const others = proposals.filter((each) => each.id !== this.view.id);
    const title = total <= 1 ? 'Nobody proposed a near copy.' :
      `${plural(total - 1, 'near copy', 'near copies')}${total - 1 > others.length ?
        `, the first ${others.length} below` : ''}. A decision for the whole cluster is about ` +
      `${plural(served, 'proposal', 'proposals')}, this one with it.`;
    this.copies.replaceChildren(element('p', 'strong', title), element('ol', 'plain-list',
      ...others.map((each) => element('li', '', element('div', 'head', element('strong', '', `${each.id}`),
        statusMark(each.status, each.status), each.served ? element('span', 'badge', 'decided with it') : null,
        element('span', '', inWords(labelsOf(each, 'proposed'))),
        element('span', 'soft', each.contributor)),
        element('pre', 'text', each.message_text)))));
  }

  async showHistory() {
    if (this.history.hasChildNodes()) return this.history.replaceChildren();
    const reply = await ask('GET', `/admin/api/proposals/${this.view.id}/history`);
    if (!reply.ok) return this.tellProblem(problemOf(reply));
    this.history.replaceChildren(element('p', 'strong', 'What happened to this text, the oldest first'),
      element('ol', 'plain-list history', ...reply.body.history.flatMap(historyLine)));
  }
}
