// A paper: photographed or chosen, checked here for what the house would refuse, and
// sent straight to where papers are kept.

import { html, Icon, Trouble, Notice, useAct, useState } from '../ui.js';
import { t } from '../text.js';
import { post, Problem } from '../door.js';

const kinds = ['image/jpeg', 'image/png', 'image/heic', 'application/pdf'];
const MOST = 10 << 20; // bytes

async function digest(file) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function Upload({ b, kind, done, door = '/v1/bindings' }) {
  const [wrong, complain] = useState('');
  const [send, { busy, problem }] = useAct(async (file) => {
    complain('');
    if (!file) return;
    if (!kinds.includes(file.type)) return complain(t('upload.kind'));
    if (file.size > MOST) return complain(t('upload.size'));
    const { upload } = await post(`${door}/${b.binding_id}/materials`, { kind, content_type: file.type, size: file.size, sha256: await digest(file) });
    const answer = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: file }).catch(() => null);
    if (!answer) throw new Problem({ code: 'no_answer', kind: 'unknown' }, { lost: true });
    if (!answer.ok) throw new Problem(await answer.json().catch(() => ({ code: 'no_answer' })));
    await done();
  });
  const chosen = (e) => {
    send(e.currentTarget.files[0]);
    e.currentTarget.value = '';
  };
  return html`<div class="upload">
    <p class="hint">${t('upload.hint')}</p>
    ${wrong && html`<${Notice} kind="bad">${wrong}<//>`}
    <${Trouble} problem=${problem} />
    <div class="pair">
      <label class="button"><${Icon} name="camera" /><span>${t('upload.camera')}</span><input type="file" class="hidden" accept="image/*" capture="environment" disabled=${busy} onChange=${chosen} /></label>
      <label class="button"><${Icon} name="paper" /><span>${t('upload.file')}</span><input type="file" class="hidden" accept=${kinds.join(',')} disabled=${busy} onChange=${chosen} /></label>
    </div>
    ${busy && html`<p role="status">${t('upload.busy')}</p>`}
  </div>`;
}
