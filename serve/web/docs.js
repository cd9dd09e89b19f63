// Shows /openapi.json: routes by tag, their shapes and examples, and a form to try each.
'use strict';

let api = null;

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// A $ref's object; the object itself where it is none.
function resolve(value) {
  if (!value || !value.$ref) return value;
  return value.$ref.slice(2).split('/').reduce((at, key) => at[key], api);
}

// A shape in a line or a few, as people write types.
function shape(schema, indent = '') {
  if (!schema) return 'any';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.oneOf) return schema.oneOf.map((one) => shape(one, indent)).join(' | ');
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (schema.type === 'array') return `[${shape(schema.items, indent)}, …]`;
  if (schema.type !== 'object') return schema.type || 'any';
  const more = `${indent}  `;
  const lines = Object.entries(schema.properties || {}).map(([name, property]) => {
    const need = (schema.required || []).includes(name) ? '' : '?';
    const about = property.description ? `   // ${property.description}` : '';
    return `${more}${name}${need}: ${shape(property, more)}${about}`;
  });
  if (schema.additionalProperties && schema.additionalProperties !== true) {
    lines.push(`${more}…: ${shape(schema.additionalProperties, more)}`);
  }
  return lines.length ? `{\n${lines.join('\n')}\n${indent}}` : '{}';
}

// As above, a name with what it stands for.
function named(schema) {
  return schema && schema.$ref ? `${shape(schema)} = ${shape(resolve(schema))}` : shape(schema);
}

// A text is a body that is no JSON.
const json = (value) => typeof value === 'string' ? value : JSON.stringify(value, null, 2);
const content = (part) => Object.entries((part && part.content) || {})[0] || [];

function responsesOf(operation) {
  const parts = [element('h4', '', 'Answers')];
  const table = element('table');
  for (const [code, response] of Object.entries(operation.responses)) {
    const full = resolve(response);
    const [media, body] = content(full);
    const cell = element('td', '', full.description);
    if (code.startsWith('2')) {
      if (body && body.schema) cell.append(element('pre', '', named(body.schema)));
      else if (media) cell.append(` (${media})`);
      for (const [name, example] of Object.entries((body && body.examples) || {})) {
        cell.append(element('span', 'soft', `Example "${name}"`),
                    element('pre', '', json(example.value)));
      }
    }
    table.append(element('tr', '', element('td', '', code), cell));
  }
  parts.push(table);
  return parts;
}

async function send(method, path, operation, fields, bodyField, output, button) {
  const [media] = content(operation.requestBody);
  let target = path;
  const query = new URLSearchParams();
  for (const [parameter, input] of fields) {
    if (parameter.in === 'path') {
      target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    } else if (input.value) {
      query.set(parameter.name, input.value);
    }
  }
  if ([...query].length) target += `?${query}`;
  const key = document.getElementById('key').value;
  const headers = key ? {'X-API-Key': key} : {};
  if (bodyField) headers['Content-Type'] = media;
  button.disabled = true;
  output.hidden = false;
  output.textContent = '…';
  try {
    const start = performance.now();
    const reply = await fetch(target, {method, headers, body: bodyField ? bodyField.value : undefined});
    const type = reply.headers.get('Content-Type') || '';
    const size = Number(reply.headers.get('Content-Length') || 0);
    let text = `${size} bytes of ${type}`;
    if (!type.includes('gzip')) text = await reply.text();
    const milliseconds = Math.round(performance.now() - start);
    if (type.includes('json')) text = json(JSON.parse(text));
    output.textContent = `${reply.status} ${reply.statusText}, ${milliseconds} ms\n\n${text}`;
  } catch (error) {
    output.textContent = `No answer: ${error.message}`;
  } finally {
    button.disabled = false;
  }
}

function tryForm(method, path, operation) {
  const form = element('form', '', element('h4', '', 'Try it'));
  const fields = [];
  for (const parameter of operation.parameters || []) {
    const input = element('input');
    input.value = parameter.in === 'path' ? parameter.example || '' : '';
    input.placeholder = parameter.description || shape(parameter.schema);
    input.required = parameter.in === 'path';
    form.append(element('label', '', `${parameter.name} (${parameter.in})`, input));
    fields.push([parameter, input]);
  }
  let bodyField = null;
  const [, body] = content(operation.requestBody);
  if (body) {
    bodyField = element('textarea');
    bodyField.spellcheck = false;
    const examples = Object.entries(body.examples || {});
    if (examples.length) bodyField.value = json(examples[0][1].value);
    form.append(element('label', '', 'Body', bodyField));
    const row = element('div', 'row');
    for (const [name, example] of examples.length > 1 ? examples : []) {
      const pick = element('button', 'plain', example.summary || name);
      pick.type = 'button';
      pick.addEventListener('click', () => { bodyField.value = json(example.value); });
      row.append(pick);
    }
    form.append(row);
  }
  const button = element('button', '', 'Send');
  const output = element('pre');
  output.hidden = true;
  form.append(element('div', 'row', button), output);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(method.toUpperCase(), path, operation, fields, bodyField, output, button);
  });
  return form;
}

function inside(method, path, operation) {
  const box = element('div', 'inside');
  if (operation.description) box.append(element('p', '', operation.description));
  const [media, body] = content(operation.requestBody);
  if (body) {
    const title = media === 'application/json' ? 'Body' : `Body, ${media}`;
    box.append(element('h4', '', title), element('pre', '', named(body.schema)));
  }
  if (operation.parameters) {
    const table = element('table');
    for (const parameter of operation.parameters) {
      table.append(element('tr', '', element('td', '', element('code', '', parameter.name)),
                           element('td', '', `in the ${parameter.in}: ${shape(parameter.schema)}. ${parameter.description || ''}`)));
    }
    box.append(element('h4', '', 'Parameters'), table);
  }
  box.append(...responsesOf(operation), tryForm(method, path, operation));
  return box;
}

function route(method, path, operation) {
  const scope = operation.security.length ? Object.values(operation.security[0])[0][0] : 'open';
  const details = element('details', '', element('summary', '',
    element('span', `verb ${method}`, method.toUpperCase()), ' ',
    element('code', 'path', path), ' ', element('span', 'soft', operation.summary), ' ',
    element('span', 'scope', scope === 'open' ? 'open' : `scope ${scope}`)));
  details.id = operation.operationId;
  details.addEventListener('toggle', () => {  // made when it is looked at
    if (details.open && details.children.length === 1) details.append(inside(method, path, operation));
  });
  return details;
}

async function start() {
  try {
    api = await (await fetch('/openapi.json')).json();
  } catch (error) {
    const problem = document.getElementById('problem');
    problem.textContent = `/openapi.json cannot be had: ${error.message}`;
    problem.hidden = false;
    return;
  }
  document.getElementById('about').textContent = api.info.description;
  const all = Object.entries(api.paths).flatMap(
    ([path, methods]) => Object.entries(methods).map(([method, operation]) => [method, path, operation]));
  for (const tag of api.tags) {
    const heading = element('h2', '', tag.name);
    const routes = all.filter(([, , operation]) => operation.tags[0] === tag.name);
    const list = element('section', '', heading);
    if (tag.description) list.append(element('p', 'soft', tag.description));
    list.append(...routes.map((one) => route(...one)));
    document.getElementById('routes').append(list);
  }
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    const box = element('div', 'inside');
    if (schema.description) box.append(element('p', 'soft', schema.description));
    box.append(element('pre', '', shape(schema)));
    const details = element('details', '', element('summary', '', element('code', '', name)), box);
    document.getElementById('shapes').append(details);
  }
  if (location.hash) {
    const wanted = document.getElementById(location.hash.slice(1));
    if (wanted && wanted.tagName === 'DETAILS') {
      wanted.open = true;
      wanted.scrollIntoView();
    }
  }
}

start();
