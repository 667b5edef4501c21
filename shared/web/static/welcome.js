// The page before sign-in.

import { html, Button, Icon, Trouble, useAct, useEffect } from './ui.js';
import { t } from './text.js';
import { signIn } from './session.js';
import { Looks } from './looks.js';

export function App({ failed }) {
  const [enter, { busy, problem }] = useAct(() => signIn());
  useEffect(() => {
    document.title = t('app.name');
  });
  return html`<div class="welcome">
    <header class="bar"><span class="brand"><b>${t('app.brand')}</b></span><${Looks} /></header>
    <main id="content">
      <section class="hero">
        <h1>${t('welcome.title')}</h1>
        <p class="lead">${t('welcome.lead')}</p>
        ${(failed || problem) && html`<${Trouble} problem=${failed ?? problem} />`}
        <${Button} kind="main" busy=${busy} onClick=${enter}>${t('welcome.enter')}<//>
        <p class="fine">${t('welcome.who')}</p>
      </section>
      <ol class="steps">
        ${[['add', 1], ['code', 2], ['receipt', 3]].map(([icon, n]) => html`<li>
          <${Icon} name=${icon} /><h2>${t(`welcome.step${n}`)}</h2><p>${t(`welcome.step${n}.more`)}</p></li>`)}
      </ol>
      <p class="fine law">${t('welcome.law')}</p>
    </main>
  </div>`;
}
