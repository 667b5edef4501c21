// The till's app: made for a keyboard and a scanner, in one screen.

import { html, Icon, useEffect, useLoad, useState } from '../ui.js';
import { t } from '../text.js';
import { get } from '../door.js';
import { signOut } from '../session.js';
import { Looks } from '../looks.js';
import { Sale } from './sale.js';
import { Day } from './day.js';
import { Pending, usePending } from './sent.js';

export const texts = 'till';

const sheet = new URL('./till.css', import.meta.url).href;
const styled = new Promise((done) => {
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: sheet });
  link.onload = link.onerror = done;
  document.head.append(link);
});

const tabs = [['/', 'till.sale', 'shop'], ['/day', 'till.day', 'receipt']];

export function App({ claims, where }) {
  const code = claims.fixmedins_code;
  const [ready, set] = useState(false);
  useEffect(() => { styled.then(() => set(true)); }, []);
  const place = useLoad(async (signal) => (await get(`/v1/institutions?q=${code}`, { signal })).items[0]);
  const pending = usePending();
  const path = where === '/day' ? '/day' : '/';
  useEffect(() => { document.title = `${t(path === '/' ? 'till.sale' : 'till.day')} · ${t('app.name')}`; });
  if (!ready) return null;
  return html`<div class="till">
    <header class="till-bar"><h1 class="brand">${t('app.brand')}</h1><span class="grow"><b>${place.data?.name ?? code}</b><small>${code}</small></span>
      <nav aria-label=${t('app.name')}>${tabs.map(([to, label, icon]) => html`<a class="button quiet" href=${'#' + to} aria-current=${path === to ? 'page' : null}><${Icon} name=${icon} /><span>${t(label)}</span></a>`)}</nav>
      <${Looks} /><button type="button" class="round" aria-label=${t('till.leave')} title=${t('till.leave')} onClick=${signOut}><${Icon} name="leave" /></button></header>
    <main id="content">
      ${pending.lost && html`<${Pending} pending=${pending} />`}
      <div hidden=${path !== '/'}><${Sale} code=${code} name=${place.data?.name ?? code} pending=${pending} shown=${path === '/'} /></div>
      ${path === '/day' && html`<${Day} code=${code} name=${place.data?.name ?? code} pending=${pending} />`}
    </main>
  </div>`;
}
