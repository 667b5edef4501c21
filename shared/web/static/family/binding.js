// One binding: what is left to do, what it allows, and how to change or end it.

import { html, Page, Button, Link, Icon, Money, Notice, Sheet, Switch, Trouble, Waiting, useAct, useEffect, useLoad, useState } from '../ui.js';
import { t, either, moment, dayOf } from '../text.js';
import { all, ask, get, post } from '../door.js';
import { canShow, live, openStep, other, readiness, relationOf, leftOf } from './kin.js';
import { Terms, formOf, payOf } from './terms.js';
import { Upload } from './upload.js';
import { Order } from './order.js';

export function Binding({ id, where, bindings }) {
  const { data: b, problem, again, put } = useLoad((signal) => get(`/v1/bindings/${id}`, { signal }), [id]);
  const fresh = where.endsWith('?new');
  const done = (binding) => {
    put(binding);
    bindings.again();
  };
  // Somebody else may be taking his step on another phone.
  useEffect(() => {
    if (!b || !live(b) || !openStep(b) || openStep(b).mine) return undefined;
    const timer = setInterval(again, 10_000);
    return () => clearInterval(timer);
  }, [b]);
  if (!b) return html`<${Page} title=${t('members.title')} back="/members"><${Trouble} problem=${problem} again=${again} />${!problem && html`<${Waiting} />`}<//>`;
  const { kind, text } = readiness(b);
  return html`<${Page} title=${b.role === 'holder' ? `${relationOf(b)} ${other(b)}` : other(b)} back="/members">
    <${Notice} kind=${kind === 'off' ? 'info' : kind} title=${fresh && b.state === 'active' ? t('binding.done') : fresh ? t('binding.asked') : undefined}>${text}<//>
    ${b.review_reason && html`<${Notice} kind="wait" title=${t('binding.reviewer')}>${b.review_reason}<//>`}
    ${canShow(b) && html`<${Link} kind="main" icon="code" href=${`/show/${b.binding_id}`}>${t('act.show.code')}<//>`}
    ${live(b) && b.state !== 'active' && html`<${Steps} b=${b} done=${done} />`}
    ${b.state === 'active' && html`<${Standing} b=${b} done=${done} />`}
    ${b.state === 'active' && b.role === 'member' && b.pay && html`<${Order} bindings=${bindings} />`}
    <dl class="card facts">
      <div><dt>${t('binding.relation')}</dt><dd>${b.role === 'holder' ? relationOf(b) : t('binding.you', { relation: relationOf(b) })}</dd></div>
      ${b.activated_at && html`<div><dt>${t('binding.since')}</dt><dd>${moment(b.activated_at)}</dd></div>`}
      ${b.ended_at && html`<div><dt>${t('binding.until')}</dt><dd>${moment(b.ended_at)}</dd></div>`}
      ${b.expires_on && html`<div><dt>${t('binding.expires')}</dt><dd>${dayOf(b.expires_on)}</dd></div>`}
      <div class="fine"><dt>${t('binding.policy')}</dt><dd>${b.policy}</dd></div>
    </dl>
    <${History} id=${b.binding_id} />
    ${live(b) && html`<${End} b=${b} done=${done} />`}
  <//>`;
}

// History is who did what when, in the house's words; nobody can change it afterwards.
function History({ id }) {
  const [open, set] = useState(false);
  return html`<details class="card told" onToggle=${(e) => set(e.currentTarget.open)}><summary>${t('history.title')}</summary>${open && html`<${Events} id=${id} />`}</details>`;
}

function Events({ id }) {
  const { data, problem, again } = useLoad(() => all(`/v1/bindings/${id}/history`), [id]);
  if (!data) return problem ? html`<${Trouble} problem=${problem} again=${again} />` : html`<${Waiting} />`;
  return html`<ul class="events">${data.items.map((e) => html`<li><small>${moment(e.at)} · ${t(`by.${e.by}`)}</small><span>${either(e.text_zh, e.text_en)}</span></li>`)}</ul>`;
}

function Steps({ b, done }) {
  const current = openStep(b);
  const first = b.steps.findIndex((s) => !s.done);
  return html`<section class="card"><h2>${t('steps.title')}</h2>
    <ol class="timeline">${b.steps.map((step, i) => html`<li class=${step.done ? 'done' : i === first ? 'now' : ''} aria-current=${i === first ? 'step' : null}>
      <span class="mark"><${Icon} name=${step.done ? 'done' : 'wait'} /></span>
      <div><b>${t(`steps.${step.action}.${step.by}`, { name: other(b), paper: step.kind ? t(`paper.${step.kind}`) : '' })}</b>
        ${step.done && html`<small>${t('steps.done')}</small>`}
        ${i === first && current.mine && html`<${Act} b=${b} step=${current} done=${done} />`}
        ${i === first && !current.mine && html`<small>${t(`steps.wait.${step.by}`, { name: other(b) })}</small>`}
      </div></li>`)}</ol>
  </section>`;
}

// Act is the open step of whoever looks.
function Act({ b, step, done }) {
  const path = `/v1/bindings/${b.binding_id}`;
  const [promised, promise] = useState(false);
  const [run, { busy, problem }] = useAct(async (act, body) => done(await post(`${path}/${act}`, body)));
  if (step.action === 'upload') return html`<${Upload} b=${b} kind=${step.kind} done=${async () => done(await get(path))} />`;
  if (step.action === 'submit') {
    return html`<label class="choice"><input type="checkbox" checked=${promised} onChange=${(e) => promise(e.currentTarget.checked)} /><span>${t('add.promise')}</span></label>
      <${Trouble} problem=${problem} /><${Button} kind="main" busy=${busy} disabled=${!promised} onClick=${() => run('submit', { commitment: true })}>${t('mend.submit')}<//>`;
  }
  if (step.action !== 'accept') return null;
  return html`<div class="consent">
    <p>${t('accept.asks', { name: other(b) })}</p>
    <ul>${b.show && html`<li>${t('accept.show', { name: other(b) })}</li>`}${b.pay && html`<li>${t('accept.pay', { name: other(b) })}</li>`}<li>${t('accept.free')}</li></ul>
    <${Trouble} problem=${problem} />
    <div class="pair"><${Button} busy=${busy} onClick=${() => run('decline')}>${t('act.decline')}<//><${Button} kind="main" busy=${busy} onClick=${() => run('accept')}>${t('act.accept')}<//></div>
  </div>`;
}

// Standing is an active binding: its two switches as they are, and pause.
function Standing({ b, done }) {
  const [editing, edit] = useState(false);
  const [patch, { busy, problem }] = useAct(async (change) => done(await ask('PATCH', `/v1/bindings/${b.binding_id}`, { body: change })));
  const holder = b.role === 'holder';
  const left = b.pay && holder ? leftOf(b.pay) : null;
  return html`<section class="card standing"><h2>${t('standing.title')}</h2>
    <ul class="allowed">
      <li class=${b.show ? 'yes' : 'no'}><${Icon} name=${b.show ? 'done' : 'close'} /><span>${t(holder ? 'standing.show' : 'standing.show.member', { name: other(b) })}</span></li>
      <li class=${b.pay ? 'yes' : 'no'}><${Icon} name=${b.pay ? 'done' : 'close'} /><span>${t(holder ? 'standing.pay' : 'standing.pay.member', { name: other(b) })}
        ${b.pay && html`<small>${b.pay.purposes.map((p) => t(`terms.purpose.${p}`)).join(t('app.comma'))}</small>`}</span></li>
    </ul>
    ${b.pay && holder && html`<dl class="figures">
      <div><dt>${t('standing.spent')}</dt><dd><${Money} fen=${b.pay.spent_this_month_fen} /></dd></div>
      ${left !== null && html`<div><dt>${t('standing.left')}</dt><dd><${Money} fen=${left} /></dd></div>`}
      ${b.pay.monthly_cap_fen && html`<div><dt>${t('terms.monthly_cap_fen')}</dt><dd><${Money} fen=${b.pay.monthly_cap_fen} /></dd></div>`}
      ${b.pay.per_settlement_cap_fen && html`<div><dt>${t('terms.per_settlement_cap_fen')}</dt><dd><${Money} fen=${b.pay.per_settlement_cap_fen} /></dd></div>`}
      ${b.pay.quota_fen && html`<div><dt>${t('terms.quota_fen')}</dt><dd><${Money} fen=${b.pay.quota_fen} /></dd></div>`}
      ${b.pay.valid_until && html`<div><dt>${t('terms.valid_until')}</dt><dd>${dayOf(b.pay.valid_until)}</dd></div>`}
    </dl>`}
    <${Trouble} problem=${problem} />
    <${Switch} label=${t('standing.pause')} hint=${t(b.paused && !b.paused_by_me ? 'standing.pause.other' : 'standing.pause.more')} checked=${b.paused_by_me} disabled=${busy} onChange=${(paused) => patch({ paused })} />
    ${holder && html`<${Button} onClick=${() => edit(true)}>${t('standing.edit')}<//>`}
    ${editing && html`<${Edit} b=${b} onClose=${() => edit(false)} done=${(binding) => { edit(false); done(binding); }} />`}
  </section>`;
}

function Edit({ b, done, onClose }) {
  const [form, set] = useState(formOf(b));
  const [errors, complain] = useState({});
  const [save, { busy, problem }] = useAct(async () => {
    const { pay, errors: found } = payOf(form);
    if (!form.show && !form.pays) found.neither = t('terms.neither.edit');
    complain(found);
    if (Object.keys(found).length > 0) return;
    done(await ask('PATCH', `/v1/bindings/${b.binding_id}`, { body: { show: form.show, pay } }));
  });
  return html`<${Sheet} title=${t('standing.edit')} onClose=${onClose}>
    <${Terms} form=${form} change=${(part) => set((was) => ({ ...was, ...part }))} errors=${errors} name=${other(b)} />
    <${Trouble} problem=${problem} />
    <${Button} kind="main" busy=${busy} onClick=${save}>${t('act.save')}<//>
  <//>`;
}

// End says plainly what ending takes away and what stays, and only then ends.
function End({ b, done }) {
  const [asking, asks] = useState(false);
  const [end, { busy, problem }] = useAct(async () => {
    done(await ask('DELETE', `/v1/bindings/${b.binding_id}`));
    asks(false);
  });
  return html`<${Button} kind="danger" onClick=${() => asks(true)}>${t('end.title')}<//>
    ${asking && html`<${Sheet} title=${t('end.ask', { name: other(b) })} onClose=${() => asks(false)}>
      <ul class="plain">${[1, 2, 3].map((n) => html`<li>${t(`end.what${n}`)}</li>`)}</ul>
      <${Trouble} problem=${problem} />
      <div class="pair"><${Button} onClick=${() => asks(false)}>${t('act.keep')}<//><${Button} kind="danger" busy=${busy} onClick=${end}>${t('end.do')}<//></div>
    <//>`}`;
}
