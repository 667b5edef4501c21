// Stopping somebody or somewhere at once, and letting go again.

import { html, Button, Field, Notice, Trouble, useAct, useState } from '../ui.js';
import { t } from '../text.js';
import { post } from '../door.js';

function Brake({ what, path, acts }) {
  const [number, set] = useState('');
  const [done, tell] = useState(null);
  const [run, { busy, problem }] = useAct(async (act) => {
    tell(null);
    await post(`${path}/${encodeURIComponent(number)}/${act}`);
    tell(act);
  });
  return html`<section class="card brake"><h2>${t(`brake.${what}`)}</h2><p class="hint">${t(`brake.${what}.more`)}</p>
    <${Field} label=${t(`brake.${what}.number`)} autocomplete="off" value=${number} onInput=${(e) => { set(e.currentTarget.value.trim()); tell(null); }} />
    <div class="pair">${acts.map((act, i) => html`<${Button} kind=${i === 0 ? 'danger' : 'plain'} busy=${busy} disabled=${number === ''} onClick=${() => run(act)}>${t(`brake.${act}`)}<//>`)}</div>
    <${Trouble} problem=${problem} />
    ${done && html`<${Notice} kind="good">${t(`brake.${done}.done`, { number })}<//>`}</section>`;
}

export const Brakes = () => html`<div class="two">
  <${Brake} what="person" path="/v1/persons" acts=${['freeze', 'unfreeze']} />
  <${Brake} what="place" path="/v1/institutions" acts=${['suspend', 'resume']} /></div>`;
