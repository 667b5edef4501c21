// What is sent to be settled is sent under an id of its own, and as long as nobody
// knows what became of it nothing else is sent. So nobody is charged twice, whatever
// the network does, not even when the page was closed meanwhile.

import { html, Button, Notice, Trouble, useAct, useState } from '../ui.js';
import { t, either, stamp } from '../text.js';
import { ask, get, Problem } from '../door.js';

const KEY = 'gongji.sent'; // the id alone, and what it was for: nothing of anybody's

const kept = () => {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
};
const keep = (sent) => {
  try {
    if (sent) localStorage.setItem(KEY, JSON.stringify(sent));
    else localStorage.removeItem(KEY);
  } catch {
    // then only a closed page forgets it
  }
};

// newID is an id for a message of an institution's, in Shanghai's time.
export const newID = (code) => code + stamp() + String(crypto.getRandomValues(new Uint16Array(1))[0] % 10_000).padStart(4, '0');

// usePending is the message whose answer nobody has heard. lost is its id, or null.
export function usePending() {
  const [lost, set] = useState(kept());
  const settle = (sent) => {
    keep(sent);
    set(sent);
  };
  return {
    lost,
    // send sends a message and returns its answer; whatever leaves its outcome open
    // keeps the id until somebody has asked.
    async send(path, body, what) {
      keep({ id: body.message_id, what }); // before: the page may be closed while it waits
      try {
        const answer = await ask('POST', path, { body });
        settle(null);
        return answer;
      } catch (problem) {
        if (problem instanceof Problem && problem.kind !== 'unknown' && !problem.lost) settle(null);
        else settle({ id: body.message_id, what });
        throw problem;
      }
    },
    // ask finds out what became of it: settled, refused, or never seen, and then it
    // is closed and cannot land any more.
    async ask() {
      const found = await get(`/v1/messages/${lost.id}`);
      settle(null);
      return found;
    },
  };
}

// Pending is the one safe next step.
export function Pending({ pending }) {
  const [find, { busy, problem }] = useAct(async () => {
    const found = await pending.ask();
    dispatchEvent(new CustomEvent('gongji:found', { detail: found }));
  });
  return html`<section class="pending">
    <${Notice} kind="bad" title=${t('lost.title')} action=${html`<${Button} kind="main" busy=${busy} onClick=${find} data-testid="what-became">${t('lost.ask')}<//>`}>
      ${t('lost.more')} <span class="fine">${pending.lost.id}</span><//>
    <${Trouble} problem=${problem} whom="cashier" />
  </section>`;
}

// Found says what became of a message.
export const Found = ({ found }) => html`<${Notice} kind=${found.state === 'settled' ? 'good' : 'wait'} title=${t(`found.${found.state}`)}>
  ${either(found.message_zh, found.message_en)} <span class="fine">${found.message_id}</span><//>`;
