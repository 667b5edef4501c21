// The review desk: for reviewers, operators and auditors, each what he may see.

import { html, Icon, Notice, useEffect, useRef, useState } from '../ui.js';
import { t } from '../text.js';
import { signOut } from '../session.js';
import { Looks } from '../looks.js';
import { Reviews, Review } from './reviews.js';
import { Feeds } from './feeds.js';
import { Proofs } from './proofs.js';
import { Counter } from './counter.js';
import { People } from './people.js';
import { Places } from './places.js';
import { Policies } from './policies.js';
import { Adjustments } from './adjustments.js';
import { BindingTrail, Trail } from './trail.js';

export const texts = 'desk';

const sheet = new URL('./desk.css', import.meta.url).href;
const styled = new Promise((done) => {
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: sheet });
  link.onload = link.onerror = done;
  document.head.append(link);
});

// rooms are the desk's pages, by what one comes for.
const rooms = [
  ['desk.serving', [['/', 'desk.reviews', 'paper', ['operator', 'reviewer'], Reviews], ['/counter', 'desk.counter', 'family', ['operator'], Counter]]],
  ['desk.finding', [['/people', 'desk.people', 'person', ['operator'], People], ['/institutions', 'desk.places', 'shop', ['operator', 'auditor'], Places]]],
  ['desk.books', [['/feeds', 'desk.feeds', 'add', ['operator'], Feeds], ['/adjustments', 'desk.adjustments', 'account', ['operator', 'auditor'], Adjustments], ['/proofs', 'desk.proofs', 'done', ['operator', 'auditor'], Proofs]]],
  ['desk.rules', [['/policies', 'desk.policies', 'receipt', ['operator', 'auditor'], Policies], ['/trail', 'desk.trail', 'wait', ['operator', 'auditor'], Trail]]],
];

export function App({ claims, where }) {
  const [ready, set] = useState(false);
  useEffect(() => { styled.then(() => set(true)); }, []);
  const mine = rooms.map(([name, list]) => [name, list.filter(([, , , roles]) => roles.some((r) => (claims.roles ?? []).includes(r)))]).filter(([, list]) => list.length > 0);
  const open = mine.flatMap(([, list]) => list);
  const [, first, id] = /^(\/reviews|\/trail)\/([^/]+)$/.exec(where) ?? [];
  const [path, label, , , Room] = open.find(([to]) => to === (first === '/reviews' ? '/' : first ?? where)) ?? open[0] ?? [];
  const nav = useRef();
  useEffect(() => { document.title = `${t(label ?? 'desk.none')} · ${t('app.name')}`; });
  useEffect(() => { nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }); }, [path, ready]);
  if (!ready) return null;
  return html`<div class="desk">
    <header class="desk-bar"><span class="brand"><b>${t('app.brand')}</b></span><span class="where">${t('desk.title')}</span>
      <span class="grow"></span><${Looks} /><button type="button" class="round" aria-label=${t('desk.leave')} title=${t('desk.leave')} onClick=${signOut}><${Icon} name="leave" /></button></header>
    <nav class="desk-nav" ref=${nav} aria-label=${t('desk.title')}>${mine.map(([name, list]) => html`<div><span class="group">${t(name)}</span>
      ${list.map(([to, text, icon]) => html`<a class="button quiet" href=${'#' + to} aria-current=${path === to ? 'page' : null}><${Icon} name=${icon} /><span>${t(text)}</span></a>`)}</div>`)}</nav>
    <main id="content"><h1>${t(label ?? 'desk.none')}</h1>
      ${!Room && html`<${Notice} kind="bad">${t('desk.none.more')}<//>`}
      ${Room === Reviews ? html`<div class="two"><${Reviews} open=${id} />${id && html`<${Review} key=${id} id=${id} />`}</div>`
        : Room === Trail && id ? html`<${BindingTrail} key=${id} id=${id} />` : Room && html`<${Room} claims=${claims} />`}
    </main>
  </div>`;
}
