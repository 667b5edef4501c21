// 出示: the code, full screen. It is one person's for one use within a minute; this page
// keeps a fresh one there while somebody looks, and turns into the receipt when a till
// has settled with it.

import { html, Button, Link, Icon, Trouble, Waiting, useEffect, useLoad, useNow, useRef, useState, go } from '../ui.js';
import { t } from '../text.js';
import { get, post, ask, once } from '../door.js';
import { prefs } from '../prefs.js';

// FIRST and LAST are how long the page waits before it asks again whether the code was
// used, in ms: often at first, then less.
const FIRST = 1500, LAST = 4000;

export function Show({ id, online }) {
  const own = id === 'me';
  const binding = useLoad(async (signal) => (own ? get('/v1/me', { signal }) : get(`/v1/bindings/${id}`, { signal })), [id]);
  const [code, setCode] = useState(null); // {…, gone: a clock of ours, by which it has expired}
  const [problem, complain] = useState(null);
  const [state, setState] = useState('issued');
  const [digits, reveal] = useState(false);
  const [bars, setBars] = useState(false);
  const issuing = useRef(false);
  const now = useNow(250);

  async function issue() {
    if (issuing.current) return;
    issuing.current = true;
    complain(null);
    try {
      const began = Date.now();
      const fresh = await post('/v1/qr', own ? {} : { binding_id: id }, { key: once() });
      const [qr, line] = await Promise.all([picture(fresh.svg_url), picture(fresh.code128_url)]);
      // The phone's clock may be wrong, so the code's life is counted from here.
      setCode((was) => {
        was?.drop();
        return { ...fresh, qr, line, gone: began + fresh.life_seconds * 1000, drop: () => { URL.revokeObjectURL(qr); URL.revokeObjectURL(line); } };
      });
      setState('issued');
    } catch (found) {
      complain(found);
    } finally {
      issuing.current = false;
    }
  }

  useEffect(() => { issue(); }, [id]);
  useEffect(() => () => code?.drop(), [code?.token_id]);
  const left = code ? Math.min(code.life_seconds, Math.max(0, Math.ceil((code.gone - now) / 1000))) : 0;

  // A fresh code when the old one's time is over; not for a pocket or a phone that lies there.
  useEffect(() => {
    if (code && left === 0 && state === 'issued') {
      setState('expired');
      if (online && document.visibilityState === 'visible') issue();
    }
  }, [left === 0, state, online]);

  // What became of it: spent by a till, replaced by another phone of mine.
  useEffect(() => {
    if (!code || !['issued', 'held'].includes(state)) return undefined;
    let wait = FIRST, timer;
    const look = async () => {
      try {
        const seen = await get(`/v1/qr/${code.token_id}`);
        if (seen.settlement_id) {
          setState('spent');
          navigator.vibrate?.(80);
          setTimeout(() => go(`/receipts/${seen.settlement_id}?now`), 1400);
          return;
        }
        if (['replaced', 'held'].includes(seen.state) && seen.state !== state) {
          setState(seen.state);
          return;
        }
      } catch {
        wait = LAST; // the network may be away; the ring goes on
      }
      wait = Math.min(LAST, wait * 1.2);
      timer = setTimeout(look, wait);
    };
    timer = setTimeout(look, wait);
    return () => clearTimeout(timer);
  }, [code?.token_id, state]);

  // The screen stays on while a code is on it.
  useEffect(() => {
    let lock;
    navigator.wakeLock?.request('screen').then((l) => { lock = l; }, () => {});
    return () => lock?.release().catch(() => {});
  }, []);

  const name = own ? binding.data?.name_masked : binding.data?.member?.name_masked;
  const good = code && state === 'issued' && left > 0;
  const share = code ? Math.min(1, (code.gone - now) / (code.life_seconds * 1000)) : 0;
  useEffect(() => { document.title = `${t('show.title')} · ${t('app.name')}`; }, []);
  return html`<div class="show">
    <header class="top"><a class="round" href="#/" aria-label=${t('act.back')}><${Icon} name="close" /></a><h1 tabindex="-1">${t('show.title')}</h1></header>
    <p class="patient">${name ? t(own ? 'show.mine' : 'show.whose', { name }) : '…'}</p>
    <div class="pass">
      ${good && html`<${Code} code=${code} bars=${bars} share=${share} left=${left} />`}
      ${!good && html`<${Over} state=${state} problem=${problem} code=${code} online=${online} again=${issue} />`}
    </div>
    ${good && html`<div class="under">
      <p class="count" aria-hidden="true">${t('show.left', { n: left })}</p>
      <p role="status" class="sr">${left === 10 ? t('show.soon') : ''}</p>
      <button type="button" class="digits" aria-expanded=${digits ? 'true' : 'false'} onClick=${() => reveal(!digits)}>
        ${digits ? html`<span class="number">${code.digits.replace(/(.{4})(?=.)/g, '$1 ')}</span>` : html`<span>${t('show.digits')}</span>`}</button>
      <div class="pair">
        <${Button} icon=${bars ? 'code' : 'bars'} onClick=${() => setBars(!bars)}>${t(bars ? 'show.square' : 'show.bars')}<//>
        <${Button} onClick=${issue}>${t('show.refresh')}<//>
      </div>
      ${!online && html`<p class="fine">${t('show.offline.still')}</p>`}
    </div>`}
    <footer><p>${t('show.hint')}</p>${prefs.elder === 0 && html`<p class="fine">${t('show.bright')}</p>`}</footer>
  </div>`;
}

const picture = async (url) => URL.createObjectURL(await ask('GET', url, { as: 'blob' }));

// Code is the picture, within the ring that runs down.
const Code = ({ code, bars, share, left }) => html`<div class=${'code' + (bars ? ' line' : '')}>
    <svg class="ring" viewBox="0 0 100 100" aria-hidden="true"><rect x="1" y="1" width="98" height="98" rx="5.2" pathLength="100" />
      <rect class=${'run' + (left <= 10 ? ' last' : '')} x="1" y="1" width="98" height="98" rx="5.2" pathLength="100" style=${{ strokeDasharray: `${Math.max(0, share) * 100} 100` }} /></svg>
    <img src=${bars ? code.line : code.qr} alt=${t('show.alt', { n: left })} data-testid="code" />
  </div>`;

// Over is what stands in the code's place when there is none to scan.
function Over({ state, problem, code, online, again }) {
  if (state === 'issued') state = 'expired'; // its last second has just gone
  if (problem && !online) state = 'offline';
  else if (problem) return html`<div class="over"><${Trouble} problem=${problem} again=${again} /></div>`;
  else if (!online && state === 'expired') state = 'offline';
  else if (!code || (state === 'expired' && online)) return html`<div class="over"><${Waiting} /><${Button} onClick=${again}>${t('show.refresh')}<//></div>`;
  const icon = { spent: 'done', replaced: 'code', expired: 'wait', offline: 'offline', held: 'wait' }[state];
  return html`<div class=${`over ${state}`} role="status" data-testid=${`state-${state}`}><span class="seal"><${Icon} name=${icon} /></span>
    <b>${t(`show.${state}`)}</b><p>${t(`show.${state}.more`)}</p>
    ${state === 'spent' ? html`<${Link} href="/receipts">${t('receipts.title')}<//>` : state === 'held' ? html`<${Link} kind="main" href="/">${t('show.held.go')}<//>` : html`<${Button} kind="main" onClick=${again}>${t('show.refresh')}<//>`}</div>`;
}
