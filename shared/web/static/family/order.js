// Whose account pays first, where the region lets the beneficiary choose.

import { html, Button, Icon, Trouble, useAct, useLoad, useState } from '../ui.js';
import { t } from '../text.js';
import { ask, get } from '../door.js';
import { other } from './kin.js';

export function Order({ bindings }) {
  const me = useLoad((signal) => get('/v1/me', { signal }));
  const grants = (bindings.data?.items ?? []).filter((b) => b.role === 'member' && b.state === 'active' && b.pay);
  const [chosen, choose] = useState(null);
  const order = chosen ?? grants.map((b) => b.binding_id).reverse(); // the list is newest first
  const [save, { busy, problem }] = useAct(async (ids) => {
    choose(ids);
    await ask('PUT', '/v1/me/grant-order', { body: { order: ids } });
  });
  if (!me.data || grants.length < 2) return null;
  if (me.data.grant_order !== 'user_set') return html`<p class="card fine">${t(`order.${me.data.grant_order}`)}</p>`;
  const up = (i) => save(order.map((id, j) => (j === i - 1 ? order[i] : j === i ? order[i - 1] : id)));
  return html`<section class="card"><h2>${t('order.title')}</h2><p>${t('order.user_set')}</p>
    <ol class="order">${order.map((id, i) => html`<li><span class="grow">${other(grants.find((b) => b.binding_id === id) ?? grants[0])}</span>
      ${i > 0 && html`<${Button} busy=${busy} onClick=${() => up(i)} aria-label=${t('order.up')}><${Icon} name="back" /><//>`}</li>`)}</ol>
    <${Trouble} problem=${problem} /></section>`;
}
