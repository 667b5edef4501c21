// Stopping somebody or somewhere at once, or letting go again: asked twice, done once.

import { html, Button, Sheet, Trouble, useAct, useState } from '../ui.js';
import { t } from '../text.js';
import { post } from '../door.js';

export function Brake({ path, act, name, done }) {
  const [asking, ask] = useState(false);
  const [run, { busy, problem }] = useAct(async () => {
    await post(`${path}/${act}`);
    ask(false);
    done();
  });
  const kind = ['freeze', 'suspend'].includes(act) ? 'danger' : 'plain';
  return html`<${Button} kind=${kind} onClick=${() => ask(true)}>${t(`brake.${act}`)}<//>
    ${asking && html`<${Sheet} title=${t(`brake.${act}.ask`, { name })} onClose=${() => ask(false)}><p>${t(`brake.${act}.more`)}</p><${Trouble} problem=${problem} />
      <div class="pair"><${Button} onClick=${() => ask(false)}>${t('brake.keep')}<//><${Button} kind=${kind === 'plain' ? 'main' : kind} busy=${busy} onClick=${run}>${t(`brake.${act}`)}<//></div><//>`}`;
}
