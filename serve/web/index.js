// The page at `/`: one text to POST /v3/classify, its three answers. All text goes in as text.

import {ask, byId, element, problemOf} from '/web/page.js';
import {forgetContribution, offerContribution} from '/web/contribute.js';

// How sure, as a bar. Drawn by SVG: the page's policy allows no inline style.
function bar(share) {
  const box = element('div', 'bar');
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  rect.setAttribute('width', `${Math.round(share * 100)}%`);
  rect.setAttribute('height', '100%');
  svg.append(rect);
  box.append(svg);
  return box;
}

const sources = {
  model: 'the model', rule: 'a text rule', status_code: 'the status code', override: 'an override',
};

function card(title, name, share, source, facts) {
  const made = element('div', 'card');
  made.append(element('h3', '', title), element('p', 'class', name), bar(share));
  const list = element('dl');
  const all = [['Probability', `${(share * 100).toFixed(1)} %`],
               ['Decided by', sources[source] || source], ...facts];
  for (const [term, value] of all) {
    if (value === undefined || value === '') continue;
    list.append(element('dt', '', term), element('dd', '', String(value)));
  }
  made.append(list);
  return made;
}

// The rule that people wrote, as a sentence.
function ruleOf(override) {
  if (!override) return undefined;
  const whose = override.domain ? `for ${override.domain}` : 'for all';
  return `${override.bounce_code} ${override.description}: “${override.rule}”, ${whose}`;
}

function show(result) {
  const cards = [];
  const smtp = result.smtp || {};
  const momentum = result.momentum_code;
  if (result.label !== undefined) {
    cards.push(card('Label', result.label, result.confidence, result.label_source, [
      ['Do', result.action.replaceAll('_', ' ')], ['Model said', result.model_label],
      ['Fault', result.fault && result.fault.replaceAll('_', ' ')],
      ['Suppress', result.suppress && result.suppress.replaceAll('_', ' ')],
      ['Momentum', momentum && `${momentum.code} ${momentum.name} (${momentum.category})`],
      ['Override', ruleOf(result.override)],
      ['Status', [smtp.code, smtp.enhanced_code].filter(Boolean).join(' ')],
      ['Block list', result.blocklist && result.blocklist.name]]));
  }
  if (result.bnac) {
    cards.push(card('BNAC', result.bnac.class, result.bnac.probability, result.bnac.source, [
      ['Model said', result.bnac.model_class], ['Do', result.bnac.suggested_action],
      ['Severity', result.bnac.severity && `${result.bnac.severity} of 6`],
      ['Scope', (result.bnac.scope || []).join(', ')]]));
  }
  if (result.backoff) {
    cards.push(card('Backoff', result.backoff.class, result.backoff.probability,
                    result.backoff.source, [
      ['Model said', result.backoff.model_class],
      ['Fields', (result.backoff.fields || []).join(', ')],
      ['Actions', (result.backoff.actions || []).join(', ')]]));
  }
  byId('answers').replaceChildren(...cards);
}

const kinds = [['label', 'Label'], ['bnac', 'BNAC'], ['backoff', 'Backoff']];

// The text in parts, each with the word that it belongs to. Spans count bytes of UTF-8; a page's
// name may lie inside its address, so the larger ones go down first.
function parts(message, spans) {
  const bytes = new TextEncoder().encode(message);
  const owner = new Array(bytes.length);
  for (const span of [...spans].sort((a, b) => (b.end - b.begin) - (a.end - a.begin))) {
    owner.fill(span, span.begin, span.end);
  }
  const made = [];
  for (let begin = 0, end = 0; begin < bytes.length; begin = end) {
    while (end < bytes.length && owner[end] === owner[begin]) ++end;
    made.push([new TextDecoder().decode(bytes.subarray(begin, end)), owner[begin]]);
  }
  return made;
}

function mark(text, span, largest) {
  const decided = span.weight === undefined;
  const step = decided ? 4 : Math.max(1, Math.ceil(4 * Math.abs(span.weight) / largest));
  const made = element('mark', `${span.weight < 0 ? 'against' : 'for'}-${step}`, text);
  made.title = decided ? 'decided alone' :
    `${span.weight < 0 ? 'against' : 'for'} it: the odds times ${Math.exp(span.weight).toPrecision(2)}`;
  return made;
}

// Marks the words of the message that decided one of the answers.
function explain(message, result, kind) {
  const spans = result.explain[kind];
  const largest = Math.max(...spans.map((span) => Math.abs(span.weight || 0)));
  byId('why-text').replaceChildren(...parts(message, spans).map(
    ([text, span]) => span ? mark(text, span, largest) : text));
  byId('why-note').textContent = spans.length ? 'The darker, the more it decided.' :
    'No word of it: nobody is sure of this answer, or a rule gave it.';
  for (const button of byId('why-of').children) {
    button.setAttribute('aria-pressed', String(button.dataset.kind === kind));
  }
}

function showWhy(message, result) {
  const told = kinds.filter(([kind]) => result.explain && result.explain[kind]);
  byId('why').hidden = told.length === 0;
  if (told.length === 0) return;
  byId('why-of').replaceChildren(...told.map(([kind, title]) => {
    const button = element('button', 'plain', title);
    button.type = 'button';
    button.dataset.kind = kind;
    button.addEventListener('click', () => explain(message, result, kind));
    return button;
  }));
  explain(message, result, told[0][0]);
}

function fail(text) {
  byId('problem').textContent = text;
  byId('problem').hidden = false;
  byId('answer').hidden = true;
  forgetContribution();
}

async function classify() {
  const message = byId('message').value;
  if (!message.trim()) return fail('Paste a bounce first.');
  byId('send').disabled = true;
  const reply = await ask('POST', '/v3/classify?explain=true', {body: {message}});
  byId('send').disabled = false;
  if (!reply.ok) return fail(problemOf(reply));
  const result = reply.body.results[0];
  show(result);
  showWhy(message, result);
  byId('json').textContent = JSON.stringify(reply.body, null, 2);
  byId('problem').hidden = true;
  byId('answer').hidden = false;
  offerContribution(message, result);
}

async function health() {
  const line = byId('health');
  const reply = await ask('GET', '/readyz');
  if (reply.ok) {
    line.textContent = `Ready. ${reply.body.models.map(
      (model) => `${model.task} version ${model.version}`).join(', ')}.`;
    line.className = 'good';
  } else {
    line.textContent = reply.status ? `Not ready. ${reply.detail}` : 'The server does not answer.';
    line.className = reply.status ? 'warn' : 'error';
  }
}

byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  classify();
});
byId('message').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) classify();
});
for (const button of document.querySelectorAll('.example')) {
  button.addEventListener('click', () => {
    byId('message').value = button.dataset.text;
    classify();
  });
}
// `/#text` shows an answer at once, so that a colleague can be sent one.
if (location.hash.length > 1) {
  byId('message').value = decodeURIComponent(location.hash.slice(1));
  classify();
}
health();
