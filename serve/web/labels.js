// The labels of the three tasks with what each means, and the choice among them.

import {ask, element, field, freshId, problemOf} from '/web/page.js';

export const tasks = [['label', 'Label'], ['bnac', 'BNAC class'], ['backoff', 'Backoff class']];

let wanted = null;

// {label: [{name, meaning, …}], bnac: …, backoff: …}. Throws where it cannot be had; the next call
// asks again.
export function definitions() {
  wanted = wanted || ask('GET', '/api/labels/definitions').then((reply) => {
    if (reply.ok) return reply.body;
    wanted = null;
    throw new Error(problemOf(reply));
  });
  return wanted;
}

// What a label means; '' for one that this page does not know.
export function meaningOf(all, task, name) {
  const found = (all ? all[task] : []).find((each) => each.name === name);
  return found ? found.meaning : '';
}

const consequence = (label) => label.action ? label.action.replaceAll('_', ' ') : label.suggested_action;

// One task's labels to choose from, each beside its meaning, with a field that finds one by a word
// of either.
// options: needed (a label must be chosen), none (what the empty choice is called),
//          badges {name: text}.
export class Picker {
  constructor(task, title, labels, {needed = false, none = 'No opinion', badges = {}} = {}) {
    this.group = freshId(task);
    this.find = element('input');
    this.find.type = 'search';
    this.find.placeholder = 'a word of its name or meaning';
    this.find.autocomplete = 'off';
    this.list = element('div', 'choices');
    if (!needed) this.list.append(this.choice('', none, 'say nothing about it'));
    this.list.append(...labels.map((label) => this.choice(label.name, label.name, label.meaning,
                                                          consequence(label), badges[label.name])));
    this.nothing = element('p', 'soft', 'No label has this word.');
    this.nothing.hidden = true;
    this.element = element('fieldset', 'picker', element('legend', '', title),
                           field('Find a label', this.find, 'field find'), this.list, this.nothing);
    this.find.addEventListener('input', () => this.narrow());
    this.find.addEventListener('keydown', (event) => this.takeFirst(event));
    this.set('');
  }

  choice(value, name, meaning, leadsTo, badge) {
    const input = element('input');
    input.type = 'radio';
    input.name = this.group;
    input.value = value;
    const words = element('span', '', element('span', 'label-name', name),
      badge ? element('span', 'badge', badge) : null,
      element('span', 'meaning', meaning),
      leadsTo ? element('span', 'leads-to', `→ ${leadsTo}`) : null);
    const made = element('label', 'choice', input, words);
    made.dataset.words = `${name} ${name.replaceAll('_', ' ')} ${meaning}`.toLowerCase();
    return made;
  }

  // Enter in the field takes the first label that it leaves, and sends nothing.
  takeFirst(event) {
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const first = [...this.list.children].find((each) => !each.hidden);
    if (!first || !this.find.value) return;
    first.firstChild.checked = true;
    this.find.value = '';
    this.narrow();
    first.firstChild.focus();
    this.element.dispatchEvent(new Event('change', {bubbles: true}));
  }

  narrow() {
    const words = this.find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const each of this.list.children) {
      each.hidden = !words.every((word) => each.dataset.words.includes(word));
      left += each.hidden ? 0 : 1;
    }
    this.nothing.hidden = left > 0;
  }

  // '' where nothing is chosen.
  value() {
    const chosen = this.list.querySelector('input:checked');
    return chosen ? chosen.value : '';
  }

  set(name) {
    for (const input of this.list.querySelectorAll('input')) input.checked = input.value === name;
  }

  focus() {
    (this.list.querySelector('input:checked') || this.find).focus();
  }
}

// All three tasks; the second and third are folded away until they are wanted.
// chosen and badges: by task.
export class LabelChoice {
  constructor(all, {needed, none, chosen = {}, badges = {}}) {
    this.pickers = new Map();
    this.element = element('div', 'label-choice');
    for (const [task, title] of tasks) {
      const first = task === 'label';
      const picker = new Picker(task, title, all[task],
                                {needed: needed && first, none, badges: badges[task]});
      if (chosen[task]) picker.set(chosen[task]);
      this.pickers.set(task, picker);
      if (first) {
        this.element.append(picker.element);
        continue;
      }
      const state = element('span', 'soft');
      const show = () => { state.textContent = ` ${picker.value() || none}`; };
      picker.element.addEventListener('change', show);
      show();
      this.element.append(element('details', '', element('summary', '', title, state),
                                  element('div', 'inside', picker.element)));
    }
  }

  // {label, bnac, backoff}, without those that nothing is said about.
  value() {
    const chosen = {};
    for (const [task, picker] of this.pickers) {
      if (picker.value()) chosen[task] = picker.value();
    }
    return chosen;
  }

  focus() { this.pickers.get('label').focus(); }
}
