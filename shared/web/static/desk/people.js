// A person, found by one whole number and by nothing less: what is kept of him, masked,
// and what operators did about him. That somebody looked is written down first.

import { html, Button, Empty, Field, Icon, Money, Notice, Trouble, Waiting, useAct, useEffect, useState } from '../ui.js';
import { t, either, learn, moment } from '../text.js';
import { post } from '../door.js';
import { fits } from '../family/add.js';
import { relationOf } from '../family/kin.js';
import { Acts } from './acts.js';
import { Brake } from './brake.js';

const ways = ['id', 'card', 'person'];
const most = { id: 18, card: 64, person: 30 };

export function People() {
  const [ready, set] = useState(false);
  useEffect(() => { learn('family').then(() => set(true)); }, []); // the words of accounts and bindings are the families' own
  const [way, choose] = useState(ways[0]);
  const [number, type] = useState('');
  const [person, show] = useState(null);
  const [find, { busy, problem }, clear] = useAct(async (type, value) => show(await post('/v1/persons/searches', { type, value })));
  const anew = () => {
    show(null);
    clear();
  };
  if (!ready) return html`<${Waiting} />`;
  const wrong = way === 'id' && number.length === 18 && !fits(number);
  return html`<div class="stack">
    <form class="card finder" novalidate onSubmit=${(e) => { e.preventDefault(); show(null); find(way, number); }}>
      <div class="tabbar">${ways.map((w) => html`<${Button} kind="tab" aria-pressed=${way === w ? 'true' : 'false'} onClick=${() => { choose(w); type(''); anew(); }}>${t(`people.${w}`)}<//>`)}</div>
      <div class="ask"><${Field} label=${t(`people.${way}`)} hint=${t('people.whole')} error=${wrong ? t('counter.id.error') : undefined} maxlength=${most[way]} autocomplete="off" spellcheck=${false} value=${number}
        onInput=${(e) => { type(e.currentTarget.value.replace(/\s/g, '').toUpperCase()); anew(); }} />
        <${Button} kind="main" type="submit" busy=${busy} disabled=${number === '' || (way === 'id' && !fits(number))}>${t('people.find')}<//></div>
      <p class="fine">${t('people.trail')}</p><${Trouble} problem=${problem} />
    </form>
    ${person && html`<${File} p=${person} again=${() => find('person', person.person_no)} />`}
  </div>`;
}

function File({ p, again }) {
  const states = [!p.insurance.insured && 'uninsured', p.frozen && 'frozen', p.deceased && 'deceased'].filter(Boolean);
  return html`<article class="file-of" aria-label=${t('people.file')} aria-live="polite">
    <section class="card head"><span class="avatar" aria-hidden="true"><${Icon} name="person" /></span>
      <div class="grow"><h2>${p.name_masked} ${states.length === 0 ? html`<span class="tag">${t('people.normal')}</span>` : states.map((s) => html`<span class="tag bad">${t(`people.${s}`)}</span>`)}</h2>
        <p class="fine">${p.id_no_masked} · ${t('people.no', { no: p.person_no })}</p></div>
      <${Brake} path=${`/v1/persons/${encodeURIComponent(p.person_no)}`} act=${p.frozen ? 'unfreeze' : 'freeze'} name=${p.name_masked} done=${again} />
      ${p.quarantine && html`<${Notice} kind="bad" title=${t('people.quarantine')}>${p.quarantine}<//>`}</section>
    <section class="card"><h2>${t('people.account')}</h2><${Money} fen=${p.account.balance_fen} big />
      <dl class="facts">${[['account.current', p.account.current_fen], ['account.past', p.account.past_fen], ['account.frozen', p.account.frozen_fen]].map(([k, fen]) => html`<div><dt>${t(k)}</dt><dd><${Money} fen=${fen} /></dd></div>`)}</dl></section>
    <section class="card"><h2>${t('me.insurance')}</h2><dl class="facts">
      <div><dt>${t('people.type')}</dt><dd>${t(`insutype.${['310', '390'].includes(p.insurance.insutype) ? p.insurance.insutype : 'none'}`)}</dd></div>
      <div><dt>${t('me.region')}</dt><dd>${either(p.insurance.region_zh, p.insurance.region_en)} <small>${p.insurance.region}</small></dd></div>
      <div><dt>${t('people.psn_type')}</dt><dd>${p.insurance.psn_type}</dd></div></dl></section>
    <section class="card wide"><h2>${t('people.bindings')}</h2>
      ${p.bindings.length === 0 ? html`<${Empty} icon="family">${t('people.bindings.none')}<//>` : html`<div class="scroll"><table><thead><tr><th>${t('people.who')}</th><th>${t('people.allows')}</th><th>${t('people.since')}</th><th>${t('people.state')}</th><th><span class="sr">${t('desk.trail')}</span></th></tr></thead>
        <tbody>${p.bindings.map((b) => html`<tr key=${b.binding_id}><td>${t(b.role === 'member' ? 'counter.of' : 'counter.with', { name: (b.role === 'member' ? b.holder : b.member).name_masked, relation: relationOf(b) })}</td>
          <td>${[b.show && t('review.show'), b.pay && t('review.pay')].filter(Boolean).join(t('app.comma'))}</td><td class="when">${moment(b.created_at)}</td><td><span class=${`tag ${b.state === 'active' ? '' : 'draft'}`}>${t(`counter.${b.state}`)}</span></td>
          <td class="end"><a class="button small" href=${`#/trail/${b.binding_id}`}>${t('people.trail.of')}</a></td></tr>`)}</tbody></table></div>`}</section>
    <section class="card wide"><h2>${t('people.entries')}</h2>
      ${p.entries.length === 0 ? html`<${Empty} icon="account">${t('people.entries.none')}<//>` : html`<div class="scroll"><table><thead><tr><th>${t('acts.when')}</th><th>${t('people.what')}</th><th>${t('people.reference')}</th><th class="end">${t('people.amount')}</th><th class="end">${t('entry.after')}</th></tr></thead>
        <tbody>${p.entries.map((e) => html`<tr key=${e.seq}><td class="when">${moment(e.at)}</td><td>${t(`entry.${e.kind}`)}</td><td><code>${e.reference}</code></td><td class="end"><${Money} fen=${e.delta_fen} sign /></td><td class="end"><${Money} fen=${e.balance_fen} /></td></tr>`)}</tbody></table></div>`}</section>
    <section class="card wide"><h2>${t('acts.title')}</h2><${Acts} acts=${p.acts} /></section>
  </article>`;
}
