// 缴保费: what my relatives or I owe, paid whole from my account.

import { html, Page, Button, Link, Money, Notice, Sheet, Trouble, Waiting, useAct, useLoad, useRef, useState } from '../ui.js';
import { t, dayOf, moment, stamp } from '../text.js';
import { get, once, post } from '../door.js';
import { live, other, relationOf } from './kin.js';

// payable are the relatives whose premiums my account may pay.
const payable = (items) => items.filter((b) => b.role === 'holder' && live(b) && b.state === 'active' && b.pay?.purposes.includes('premium'));

export function Premiums({ bindings }) {
  const relatives = payable(bindings.data?.items ?? []);
  return html`<${Page} title=${t('premium.title')} back="/me">
    <p class="lead">${t('premium.lead')}</p>
    <${Trouble} problem=${bindings.problem} again=${bindings.again} />
    ${!bindings.data && !bindings.problem && html`<${Waiting} />`}
    ${bindings.data && html`<${Whose} key="me" title=${t('premium.mine')} />
      ${relatives.map((b) => html`<${Whose} key=${b.binding_id} binding=${b.binding_id} title=${`${relationOf(b)} ${other(b)}`} />`)}
      <p class="hint">${t('premium.others')}</p><${Link} icon="family" href="/members">${t('members.title')}<//>`}
  <//>`;
}

// Whose are one person's premiums.
function Whose({ binding, title }) {
  const { data, problem, again } = useLoad((signal) => get(`/v1/premiums${binding ? `?binding_id=${binding}` : ''}`, { signal }), [binding]);
  return html`<section class="card stack premiums"><h2>${title}</h2>
    <${Trouble} problem=${problem} again=${again} />
    ${!data && !problem && html`<${Waiting} />`}
    ${data?.items.length === 0 && html`<p class="hint">${t('premium.none')}</p>`}
    ${data?.items.length > 0 && html`<ul>${data.items.map((p) => html`<${Premium} key=${p.premium_id} p=${p} binding=${binding} done=${again} />`)}</ul>`}</section>`;
}

// stateOf says how a premium stands today.
function stateOf(p) {
  const today = stamp().slice(0, 8);
  if (p.state === 'paid') return { text: t(p.paid_by_me ? 'premium.paid.me' : 'premium.paid', { time: moment(p.paid_at) }) };
  if (today < p.from) return { text: t('premium.early', { day: dayOf(p.from) }) };
  if (today > p.to) return { text: t('premium.late', { day: dayOf(p.to) }) };
  return { due: true, text: t(p.state === 'refunded' ? 'premium.again' : 'premium.due', { day: dayOf(p.to) }) };
}

function Premium({ p, binding, done }) {
  const [asking, ask] = useState(false);
  const key = useRef(once()); // however often it has to be sent
  const [pay, { busy, problem }, clear] = useAct(async () => {
    await post('/v1/premiums', { ...(binding && { binding_id: binding }), kind: p.kind, year: p.year, amount_fen: p.amount_fen }, { key: key.current });
    ask(false);
    done();
  });
  const { due, text } = stateOf(p);
  const close = () => {
    ask(false);
    clear();
    key.current = once(); // asked again it is asked anew: what is paid is not paid twice
  };
  return html`<li class="stack"><div class="row"><span class="grow"><b>${t(`premium.${p.kind}`)}</b><small>${t('premium.year', { year: p.year })}</small></span><${Money} fen=${p.amount_fen} /></div>
    <p class=${`ready ${p.state === 'paid' ? 'good' : due ? 'wait' : 'off'}`}>${text}</p>
    ${due && html`<${Button} kind="main" onClick=${() => ask(true)}>${t('premium.pay')}<//>`}
    ${asking && html`<${Sheet} title=${t('premium.ask')} onClose=${close}>
      <p>${t('premium.what', { name: p.name_masked, year: p.year, kind: t(`premium.${p.kind}`) })}</p><${Money} fen=${p.amount_fen} big />
      <${Notice}>${t('premium.back')}<//><${Trouble} problem=${problem} />
      <div class="pair"><${Button} onClick=${close}>${t('premium.later')}<//><${Button} kind="main" busy=${busy} onClick=${pay}>${t('premium.do')}<//></div><//>`}</li>`;
}
