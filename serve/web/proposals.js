// How proposals are told, on the page of a contributor and on that of a reviewer.

import {element, percent} from '/web/page.js';
import {meaningOf, tasks} from '/web/labels.js';

const words = {
  pending: 'waits for a reviewer',
  disputed: 'reviewers disagree',
  quarantined: 'set aside',
  approved: 'approved',
  rejected: 'rejected',
  skipped: 'skipped',
  spooled: 'on its way',
};

export function statusMark(status, text = words[status] || status) {
  return element('span', `status ${status}`, text);
}

// What stands in a proposal under "proposed_label", "decided_bnac", …, by task.
export function labelsOf(proposal, prefix) {
  const labels = {};
  for (const [task] of tasks) {
    if (proposal[`${prefix}_${task}`]) labels[task] = proposal[`${prefix}_${task}`];
  }
  return labels;
}

// "user_unknown, RECIPIENT_NOT_FOUND"
export const inWords = (labels) => Object.values(labels).join(', ') || 'no label';

export function label(all, task, name) {
  const meaning = meaningOf(all, task, name);
  return element('span', 'told-label', element('span', 'label-name', name),
                 meaning ? element('span', 'meaning', meaning) : null);
}

// Rows of a list of terms.
export function row(term, ...what) {
  return [element('dt', '', term), element('dd', '', ...what)];
}

// What was proposed, what the model said, what was decided: rows of a list of terms. `all` are the
// definitions; null shows the bare labels.
export function labelRows(proposal, all) {
  const rows = [];
  const proposed = labelsOf(proposal, 'proposed');
  const decided = labelsOf(proposal, 'decided');
  const told = (labels) => Object.entries(labels).map(([task, name]) => label(all, task, name));
  rows.push(...row('Proposed', ...told(proposed)));
  if (proposal.model_label) {
    const sure = element('span', proposal.model_label === proposed.label ? 'soft' : 'warn',
                         ` with ${percent(proposal.model_confidence)}`);
    const says = label(all, 'label', proposal.model_label);
    says.firstChild.after(sure);
    rows.push(...row('The model said', says));
  }
  if (Object.keys(decided).length) rows.push(...row('Decided', ...told(decided)));
  return rows;
}
