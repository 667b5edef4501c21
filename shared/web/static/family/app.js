// The family's app: what a person sees on his phone.

import { html, Icon, useEffect, useState, useLoad, Notice } from '../ui.js';
import { t } from '../text.js';
import { all } from '../door.js';
import { Home } from './home.js';
import { Members } from './members.js';
import { Add } from './add.js';
import { Binding } from './binding.js';
import { Show } from './show.js';

// Pages that not everybody opens are fetched when somebody does.
const late = (load, name) => {
  let page = null;
  return (props) => {
    const [, ready] = useState(page !== null);
    useEffect(() => {
      if (!page) load().then((module) => { page = module[name]; ready(true); }, () => location.reload()); // a new version is out
    }, []);
    return page ? html`<${page} ...${props} />` : null;
  };
};

const routes = [
  [/^\/$/, Home],
  [/^\/members$/, Members],
  [/^\/add$/, Add],
  [/^\/members\/([^/]+)$/, Binding],
  [/^\/show\/([^/]+)$/, Show],
  [/^\/receipts$/, late(() => import('./receipts.js'), 'Receipts')],
  [/^\/receipts\/([^/]+)$/, late(() => import('./receipts.js'), 'Receipt')],
  [/^\/account$/, late(() => import('./account.js'), 'Account')],
  [/^\/check$/, late(() => import('./check.js'), 'Check')],
  [/^\/premiums$/, late(() => import('./premiums.js'), 'Premiums')],
  [/^\/me$/, late(() => import('./me.js'), 'Me')],
];

const tabs = [['/', 'home', 'tab.home'], ['/members', 'family', 'tab.members'], ['/account', 'account', 'tab.account'], ['/me', 'person', 'tab.me']];

export function App({ where }) {
  const bindings = useLoad(() => all('/v1/bindings', 200));
  const path = where.split('?')[0];
  const [, page] = routes.find(([pattern]) => pattern.test(path)) ?? routes[0];
  const id = routes.find(([pattern]) => pattern.test(path))?.[0].exec(path)[1];
  const online = useOnline();
  const showing = page === Show;
  return html`<div class=${'app' + (showing ? ' showing' : '')}>
    <a class="skip" href="#content" onClick=${(e) => { e.preventDefault(); document.querySelector('h1')?.focus(); }}>${t('app.skip')}</a>
    <main id="content">
      ${!online && !showing && html`<${Notice} kind="bad" title=${t('trouble.offline')}>${t('trouble.offline.more')}<//>`}
      <${page} key=${path} id=${id} where=${where} bindings=${bindings} online=${online} />
    </main>
    ${!showing && html`<nav class="tabs" aria-label=${t('app.name')}>
      ${tabs.map(([to, icon, label]) => html`<a href=${'#' + to} aria-current=${path === to ? 'page' : null}><${Icon} name=${icon} /><span>${t(label)}</span></a>`)}
    </nav>`}
  </div>`;
}

function useOnline() {
  const [online, set] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => set(navigator.onLine);
    addEventListener('online', look);
    addEventListener('offline', look);
    return () => {
      removeEventListener('online', look);
      removeEventListener('offline', look);
    };
  }, []);
  return online;
}
