// The counter: somebody without a phone stands here with an identity card. What an
// operator fills in for him, another one reviews.

import { html, Button, Field, Icon, Notice, Sheet, Trouble, Waiting, Empty, useAct, useEffect, useState } from '../ui.js';
import { t, either, learn } from '../text.js';
import { get, post } from '../door.js';
import { relations } from '../family/kin.js';
import { fits } from '../family/add.js';
import { Terms, blank, payOf } from '../family/terms.js';
import { Upload } from '../family/upload.js';

const DOOR = '/v1/counter/bindings';
const nobody = { name: '', id_no: '' };

export function Counter() {
  const [ready, set] = useState(false);
  useEffect(() => { learn('family').then(() => set(true)); }, []); // its forms are the families' own
  const [form, type] = useState(nobody);
  const [who, stands] = useState(null); // {name, id_no} of whoever stands here
  const [items, list] = useState([]);
  const [adding, add] = useState(false);
  const [find, { busy, problem }, clear] = useAct(async (person) => {
    list((await post('/v1/counter/searches', person)).items);
    stands(person);
  });
  const put = (b) => list((was) => (was.some((x) => x.binding_id === b.binding_id) ? was.map((x) => (x.binding_id === b.binding_id ? { ...b, role: x.role } : x)) : [b, ...was]));
  const next = () => {
    stands(null);
    type(nobody);
    add(false);
    clear();
  };
  if (!ready) return html`<${Waiting} />`;
  if (!who) {
    return html`<form class="card propose desk-form" novalidate onSubmit=${(e) => { e.preventDefault(); find({ name: form.name.trim(), id_no: form.id_no }); }}>
      <p class="lead">${t('counter.lead')}</p><${Person} form=${form} change=${(part) => { type({ ...form, ...part }); clear(); }} />
      <${Trouble} problem=${problem} /><${Button} kind="main" type="submit" busy=${busy} disabled=${form.name.trim() === '' || !fits(form.id_no)}>${t('counter.find')}<//></form>`;
  }
  return html`<div class="two"><section class="queue">
      <div class="card row"><span class="avatar" aria-hidden="true"><${Icon} name="person" /></span><span class="grow"><b>${who.name}</b><small>${t('counter.checked')}</small></span><${Button} onClick=${next}>${t('counter.next')}<//></div>
      ${items.length === 0 && html`<${Empty} icon="family">${t('counter.none')}<//>`}
      <ul class="stack">${items.map((b) => html`<${Served} key=${b.binding_id} b=${b} who=${who} put=${put} />`)}</ul>
      ${!adding && html`<${Button} kind="main" icon="add" onClick=${() => add(true)}>${t('counter.add')}<//>`}
    </section>
    ${adding && html`<${Ask} who=${who} done=${(b) => { put({ ...b, role: 'holder' }); add(false); }} />`}</div>`;
}

const Person = ({ form, change }) => html`<${Field} label=${t('counter.name')} maxlength="50" autocomplete="off" value=${form.name} onInput=${(e) => change({ name: e.currentTarget.value })} />
  <${Field} label=${t('counter.id')} maxlength="18" autocomplete="off" spellcheck=${false} value=${form.id_no} error=${form.id_no.length === 18 && !fits(form.id_no) ? t('counter.id.error') : undefined}
    onInput=${(e) => change({ id_no: e.currentTarget.value.replace(/\s/g, '').toUpperCase() })} />`;

// Served is a binding, its open step, and its end.
function Served({ b, who, put }) {
  const [signed, sign] = useState(false);
  const [asking, asks] = useState(false);
  const [run, { busy, problem }] = useAct(async (act, body) => {
    put(await post(`${DOOR}/${b.binding_id}/${act}`, body));
    sign(false);
    asks(false);
  });
  const live = !['ended', 'declined'].includes(b.state);
  const step = live && b.state !== 'active' && b.steps.find((s) => !s.done);
  const name = (b.role === 'member' ? b.holder : b.member).name_masked;
  return html`<li class="card stack"><div class="row"><span class="grow"><b>${t(b.role === 'member' ? 'counter.of' : 'counter.with', { name, relation: either(b.relation_zh, b.relation_en) })}</b>
      <small>${[b.show && t('review.show'), b.pay && t('review.pay')].filter(Boolean).join(t('app.comma'))}</small></span><span class=${`tag ${b.state === 'active' ? '' : 'draft'}`}>${t(`counter.${b.state}`)}</span></div>
    ${b.review_reason && html`<${Notice} kind="wait">${b.review_reason}<//>`}
    ${step && step.action === 'upload' && html`<b>${t('counter.scan', { paper: t(`paper.${step.kind}`) })}</b><${Upload} b=${b} door=${DOOR} kind=${step.kind} done=${async () => put(await get(`${DOOR}/${b.binding_id}`))} />`}
    ${step && ['submit', 'accept'].includes(step.action) && html`<label class="choice"><input type="checkbox" checked=${signed} onChange=${(e) => sign(e.currentTarget.checked)} /><span>${t(`counter.${step.action}`)}</span></label>
      <${Button} kind="main" busy=${busy} disabled=${!signed} onClick=${() => run(step.action, { signed: true })}>${t(`counter.${step.action}.do`)}<//>`}
    ${step && step.action === 'review' && html`<p class="hint">${t('counter.review')}</p>`}
    ${!asking && html`<${Trouble} problem=${problem} />`}
    ${live && html`<${Button} kind="danger" onClick=${() => asks(true)}>${t('end.title')}<//>`}
    ${asking && html`<${Sheet} title=${t('end.ask', { name })} onClose=${() => asks(false)}><ul class="plain">${[1, 2, 3].map((n) => html`<li>${t(`end.what${n}`)}</li>`)}</ul>
      <${Trouble} problem=${problem} /><div class="pair"><${Button} onClick=${() => asks(false)}>${t('act.keep')}<//><${Button} kind="danger" busy=${busy} onClick=${() => run('end', who)}>${t('end.do')}<//></div><//>`}</li>`;
}

// Ask is a binding that whoever stands here asks for.
function Ask({ who, done }) {
  const [form, set] = useState({ ...blank(), ...nobody, show: true, relation: '' });
  const [errors, complain] = useState({});
  const change = (part) => set((was) => ({ ...was, ...part }));
  const [send, { busy, problem }] = useAct(async () => {
    const { pay, errors: found } = payOf(form);
    if (!form.show && !form.pays) found.neither = t('terms.neither');
    if (!form.relation) found.relation = t('add.relation.error');
    complain(found);
    if (Object.keys(found).length > 0) return;
    done(await post(DOOR, { holder: who, member: { name: form.name.trim(), id_no: form.id_no }, relation: form.relation, show: form.show, pay }));
  });
  return html`<section class="propose"><fieldset class="card propose"><legend>${t('counter.member')}</legend><${Person} form=${form} change=${change} />
      <${Field} label=${t('counter.relation')} error=${errors.relation}>${(shared) => html`<select ...${shared} value=${form.relation} onChange=${(e) => change({ relation: e.currentTarget.value })}>
        <option value="">${t('add.relation.choose')}</option>${relations.map(([group, codes]) => html`<optgroup label=${t(`relation.${group}`)}>${codes.map((code) => html`<option value=${code}>${t(`relation.${code}`)}</option>`)}</optgroup>`)}</select>`}<//></fieldset>
    <${Terms} form=${form} change=${change} errors=${errors} name=${form.name.trim() || t('add.them')} />
    <${Trouble} problem=${problem} />
    <${Button} kind="main" busy=${busy} disabled=${form.name.trim() === '' || !fits(form.id_no)} onClick=${send}>${t('counter.send')}<//></section>`;
}
