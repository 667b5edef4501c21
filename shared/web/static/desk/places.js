// An institution: whether it may settle, the keys by which it signs, and what operators
// did about it.

import { html, Empty, Icon, Trouble, Waiting, useLoad, useState } from '../ui.js';
import { t, moment } from '../text.js';
import { get } from '../door.js';
import { Search } from '../search.js';
import { Acts } from './acts.js';
import { Brake } from './brake.js';

export function Places({ claims }) {
  const [code, choose] = useState('');
  return html`<div class="stack"><section class="card finder"><${Search} label=${t('places.find')} hint=${t('places.hint')} path="/v1/institutions" choose=${(p) => choose(p.code)}
      line=${(p) => html`<b>${p.name}</b><small>${p.code} · ${t(`places.${p.status}`)}</small>`} /></section>
    ${code === '' ? html`<${Empty} icon="shop">${t('places.none')}<//>` : html`<${Place} key=${code} code=${code} operator=${(claims.roles ?? []).includes('operator')} />`}</div>`;
}

const when = (at) => (at ? moment(at) : t('places.open'));

function Place({ code, operator }) {
  const { data: p, problem, again } = useLoad((signal) => get(`/v1/institutions/${code}`, { signal }), [code]);
  if (!p) return html`<${Trouble} problem=${problem} again=${again} />${!problem && html`<${Waiting} />`}`;
  const suspended = p.status === 'suspended';
  return html`<article class="file-of" aria-label=${p.name}>
    <section class="card head wide"><span class="avatar" aria-hidden="true"><${Icon} name="shop" /></span>
      <div class="grow"><h2>${p.name} <span class=${`tag ${suspended ? 'bad' : ''}`}>${t(`places.${p.status}`)}</span></h2>
        <p class="fine">${p.code} · ${t(`places.${p.kind}`)} · ${t('places.level', { level: p.level })} · ${p.region}</p></div>
      ${operator && html`<${Brake} path=${`/v1/institutions/${p.code}`} act=${suspended ? 'resume' : 'suspend'} name=${p.name} done=${again} />`}</section>
    <section class="card wide"><h2>${t('places.keys')}</h2>
      ${p.keys.length === 0 ? html`<${Empty} icon="code">${t('places.keys.none')}<//>` : html`<div class="scroll"><table><thead><tr><th>${t('places.key')}</th><th>${t('places.scheme')}</th><th>${t('places.from')}</th><th>${t('places.to')}</th><th>${t('people.state')}</th></tr></thead>
        <tbody>${p.keys.map((k) => html`<tr key=${k.key_id}><td><code>${k.key_id}</code></td><td>${k.scheme}</td><td class="when">${when(k.valid_from)}</td><td class="when">${when(k.valid_to)}</td><td><span class=${`tag ${k.state === 'valid' ? '' : 'draft'}`}>${t(`key.${k.state}`)}</span></td></tr>`)}</tbody></table></div>`}
      <p class="fine">${t('places.secrets')}</p></section>
    <section class="card wide"><h2>${t('acts.title')}</h2><${Acts} acts=${p.acts} /></section>
  </article>`;
}
