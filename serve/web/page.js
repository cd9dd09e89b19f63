// What the pages share: elements, words for times, the API and its keys. All data goes in as text,
// never as markup. Keys live in this tab's session storage alone and go out as X-API-Key.

export const byId = (id) => document.getElementById(id);

// A child that is null is left out.
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function button(text, className, action) {
  const made = element('button', className, text);
  made.type = 'button';
  made.addEventListener('click', action);
  return made;
}

let names = 0;
// An id that nothing on the page has.
export const freshId = (stem) => `${stem}-${++names}`;

// A field below its label.
export function field(text, input, className = 'field') {
  input.id = input.id || freshId('field');
  const label = element('label', '', text);
  label.htmlFor = input.id;
  return element('div', className, label, input);
}

export function checkbox(text, checked = false) {
  const input = element('input');
  input.type = 'checkbox';
  input.checked = checked;
  return {input, label: element('label', 'check', input, ` ${text}`)};
}

export function time(iso) {
  const made = element('time', '', new Date(iso).toLocaleString(undefined,
                                                                {dateStyle: 'medium', timeStyle: 'short'}));
  made.dateTime = iso;
  made.title = iso;
  return made;
}

export const plural = (count, one, many) => `${count.toLocaleString()} ${count === 1 ? one : many}`;
export const percent = (share) => `${(share * 100).toFixed(1)} %`;

// Shows `text` in `node`, and hides it for none.
export function tell(node, text, className = 'error') {
  node.textContent = text;
  node.className = className;
  node.hidden = !text;
}

// ---- keys --------------------------------------------------------------------------------------

const scopes = ['classify', 'contribute', 'admin'];
const slot = (scope) => `rebound-key-${scope}`;

// The key for a scope; one that was given for another is tried before anybody is asked.
function keyOf(scope) {
  for (const each of [scope, ...scopes]) {
    const key = sessionStorage.getItem(slot(each));
    if (key) return key;
  }
  return '';
}

function forgetKeys() {
  for (const scope of scopes) sessionStorage.removeItem(slot(scope));
  byId('forget').hidden = true;
}

function rememberKey(scope, key) {
  sessionStorage.setItem(slot(scope), key);
  offerToForget();
}

function offerToForget() {
  if (!byId('forget')) {
    const made = button('Forget my key', 'plain', forgetKeys);
    made.id = 'forget';
    document.querySelector('.top').append(made);
  }
  byId('forget').hidden = !keyOf(scopes[0]);
}

const asking = new Map();  // by scope: the dialog that is open

// Asks for a key; false where none is given.
function askKey(scope, why) {
  if (!asking.has(scope)) {
    asking.set(scope, openKeyDialog(scope, why).finally(() => asking.delete(scope)));
  }
  return asking.get(scope);
}

function openKeyDialog(scope, why) {
  const input = element('input');
  input.type = 'password';
  input.autocomplete = 'off';
  input.required = true;
  const title = element('h2', '', 'A key, please');
  title.id = freshId('title');
  const go = element('button', '', 'Go on');
  const dialog = element('dialog', '');
  const form = element('form', '', title, element('p', 'warn', `The server says: ${why}.`),
    field(`Your key, of the scope ${scope}`, input),
    element('p', 'soft', 'It is kept in this tab alone, until you close it. What you typed is kept too.'),
    element('div', 'row', go, button('Cancel', 'plain', () => dialog.close())));
  dialog.append(form);
  dialog.setAttribute('aria-labelledby', title.id);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let given = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const key = input.value.trim();
      if (!/^[\x21-\x7e]+$/.test(key)) {
        input.setCustomValidity('A key is printable ASCII without blanks.');
        input.reportValidity();
        return;
      }
      rememberKey(scope, key);
      given = true;
      dialog.close();
    });
    input.addEventListener('input', () => input.setCustomValidity(''));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(given);
    });
    dialog.showModal();
  });
}

// ---- the API -----------------------------------------------------------------------------------

function scopeOf(path) {
  if (path.startsWith('/admin/')) return 'admin';
  return path.startsWith('/api/proposals') ? 'contribute' : 'classify';
}

const patienceMs = 40000;  // more than the server takes to answer that its store is away

async function askOnce(method, path, key, body, headers) {
  const sent = {...headers};
  if (key) sent['X-API-Key'] = key;
  if (body !== undefined) sent['Content-Type'] = 'application/json';
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patienceMs);
  try {
    const reply = await fetch(path, {method, headers: sent, signal: stop.signal,
                                     body: body === undefined ? undefined : JSON.stringify(body)});
    const text = await reply.text();
    let json = null;
    try { json = JSON.parse(text); } catch (error) { /* not of this API: a proxy's page */ }
    return {status: reply.status, ok: reply.ok && json !== null, body: json,
            retryAfter: Number(reply.headers.get('Retry-After') || 0),
            detail: json && json.detail ? json.detail : `the server answered ${reply.status}`};
  } catch (error) {
    return {status: 0, ok: false, body: null, retryAfter: 0, detail: 'the server does not answer'};
  } finally {
    clearTimeout(timer);
  }
}

// Asks the API: {status, ok, body, detail, retryAfter}. `detail` is what the API says went wrong;
// status 0: no answer came. Where a key is wanted, is wrong or has expired, the person is asked and
// the request goes out again; a 401 or 403 comes back only where they would not give one.
export async function ask(method, path, {body, headers = {}} = {}) {
  const scope = scopeOf(path);
  for (;;) {
    const key = keyOf(scope);
    const reply = await askOnce(method, path, key, body, headers);
    if (reply.status !== 401 && reply.status !== 403) return reply;
    if (keyOf(scope) !== key) continue;  // given meanwhile, for another request
    if (!await askKey(scope, reply.detail)) return reply;
  }
}

// What went wrong, as a sentence.
export function problemOf(reply) {
  const detail = reply.detail.charAt(0).toUpperCase() + reply.detail.slice(1);
  const stop = /[.!?]$/.test(detail) ? '' : '.';
  const says = /try again/i.test(detail);
  const wait = reply.retryAfter && !says ? ` Try again in ${plural(reply.retryAfter, 'second', 'seconds')}.` : '';
  return `${detail}${stop}${wait}`;
}

offerToForget();
