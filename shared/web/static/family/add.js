// 添加家庭成员: the form. What comes after it, the house decides and the next page shows.

import { html, Page, Button, Field, Notice, Trouble, Icon, go, useAct, useRef, useState } from '../ui.js';
import { t } from '../text.js';
import { post, once } from '../door.js';
import { example } from '../session.js';
import { relations } from './kin.js';
import { Terms, blank, payOf } from './terms.js';

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

// fits tells a slip of the finger in an ID number (GB 11643) before it is sent.
export function fits(number) {
  if (!/^\d{17}[\dX]$/.test(number)) return false;
  const sum = weights.reduce((total, weight, i) => total + weight * Number(number[i]), 0);
  return '10X98765432'[sum % 11] === number[17];
}

// faults says what the form still lacks, by field.
function faults(form) {
  const { pay, errors } = payOf(form);
  if (form.name.trim() === '') errors.name = t('add.name.error');
  if (!fits(form.id_no)) errors.id_no = t('add.id.error');
  if (!form.relation) errors.relation = t('add.relation.error');
  if (!form.show && !form.pays) errors.neither = t('terms.neither');
  if (!form.promise) errors.promise = t('add.promise.error');
  return { pay, errors };
}

export function Add({ bindings }) {
  const [form, set] = useState({ ...blank(), show: true, name: '', id_no: '', relation: '', promise: false });
  const [errors, complain] = useState({});
  const box = useRef();
  const key = useRef(once()); // the same form sent again is the same request
  const change = (part) => {
    set((was) => ({ ...was, ...part }));
    key.current = once();
  };
  const [send, { busy, problem }] = useAct(async () => {
    const { pay, errors: found } = faults(form);
    complain(found);
    if (Object.keys(found).length > 0) {
      requestAnimationFrame(() => box.current.querySelector('[aria-invalid=true], .error')?.focus?.());
      return;
    }
    const body = { name: form.name.trim(), id_no: form.id_no, relation: form.relation, show: form.show, pay };
    let binding = await post('/v1/bindings', body, { key: key.current });
    // The promise is in this form; where nothing else comes before it, it is made now.
    const step = binding.steps.find((s) => !s.done);
    if (step?.action === 'submit') binding = await post(`/v1/bindings/${binding.binding_id}/submit`, { commitment: true });
    bindings.again();
    go(`/members/${binding.binding_id}?new`);
  });
  return html`<${Page} title=${t('add.title')} back="/members">
    <form ref=${box} novalidate onSubmit=${(e) => { e.preventDefault(); send(); }}>
      <details class="card told"><summary><${Icon} name="paper" />${t('add.told')}</summary>
        <ol>${[1, 2, 3, 4].map((n) => html`<li>${t(`add.told${n}`)}</li>`)}</ol></details>
      ${example() && !form.name && !form.id_no && html`<${Notice} title=${t('add.example')} action=${html`<${Button} onClick=${() => change(example())}>${t('add.example.fill')}<//>`}>${example().name} ${example().id_no}<//>`}
      <fieldset class="card"><legend>${t('add.who')}</legend>
        <${Field} label=${t('add.name')} error=${errors.name} maxlength="50" autocomplete="off" value=${form.name} onInput=${(e) => change({ name: e.currentTarget.value })} />
        <${Field} label=${t('add.id')} hint=${t(['20', '30'].includes(form.relation) ? 'add.id.child' : 'add.id.hint')} error=${errors.id_no} maxlength="18" autocomplete="off" autocapitalize="characters" spellcheck=${false} value=${form.id_no}
          onInput=${(e) => change({ id_no: e.currentTarget.value.replace(/\s/g, '').toUpperCase() })} />
        <${Field} label=${t('add.relation')} hint=${t('add.relation.hint')} error=${errors.relation}>
          ${(shared) => html`<select ...${shared} value=${form.relation} onChange=${(e) => change({ relation: e.currentTarget.value })}>
            <option value="">${t('add.relation.choose')}</option>
            ${relations.map(([group, codes]) => html`<optgroup label=${t(`relation.${group}`)}>${codes.map((code) => html`<option value=${code}>${t(`relation.${code}`)}</option>`)}</optgroup>`)}
          </select>`}
        <//>
      </fieldset>
      <${Terms} form=${form} change=${change} errors=${errors} name=${form.name.trim() || t('add.them')} />
      <div class="card">
        <label class="choice"><input type="checkbox" checked=${form.promise} aria-invalid=${errors.promise ? 'true' : null} onChange=${(e) => change({ promise: e.currentTarget.checked })} /><span>${t('add.promise')}</span></label>
        ${errors.promise && html`<p class="error">${errors.promise}</p>`}
      </div>
      <${Trouble} problem=${problem} />
      <${Button} kind="main" type="submit" busy=${busy}>${t('add.send')}<//>
      <section class="next fine"><h2>${t('add.next')}</h2>
        <ul><li>${t('add.next.child')}</li><li>${t('add.next.adult')}</li><li>${t('add.next.papers')}</li></ul></section>
    </form>
  <//>`;
}
