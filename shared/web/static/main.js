// The first module: who is here, and so which app.

import { html, render, useEffect, useState, Waiting, Trouble } from './ui.js';
import { learn } from './text.js';
import { onPrefs, show } from './prefs.js';
import { arrive, onSignedOut } from './session.js';

// apps are the three kinds of people's, each loaded when one of them is here.
const apps = {
  family: () => import('./family/app.js'),
  till: () => import('./till/app.js'),
  desk: () => import('./desk/app.js'),
  welcome: () => import('./welcome.js'),
};

function appOf(claims) {
  if (!claims) return 'welcome';
  if (claims.fixmedins_code) return 'till';
  if (claims.person_no) return 'family';
  return 'desk';
}

// Shell draws the app anew whenever the address or a preference has changed.
function Shell({ App, claims, failed }) {
  const [, turn] = useState(0);
  const [where, move] = useState(location.hash.slice(1) || '/');
  useEffect(() => {
    const moved = () => move(location.hash.slice(1) || '/');
    addEventListener('hashchange', moved);
    const end = onPrefs(async (change) => {
      if (change.language) await learn();
      turn((n) => n + 1);
    });
    return () => {
      removeEventListener('hashchange', moved);
      end();
    };
  }, []);
  return html`<${App} claims=${claims} where=${where} failed=${failed} />`;
}

const root = document.getElementById('app');
const draw = (node) => {
  root.replaceChildren();
  render(node, root);
};

async function start() {
  show();
  await learn('shell');
  let claims = null, failed = null;
  try {
    claims = await arrive();
  } catch (problem) {
    failed = problem;
  }
  const name = appOf(claims);
  const [{ App, texts }] = await Promise.all([apps[name](), name === 'family' && learn('family')]);
  if (texts) await learn(texts);
  onSignedOut(() => location.reload());
  draw(html`<${Shell} App=${App} claims=${claims} failed=${failed} />`);
  performance.mark('gongji:usable');
}

start().catch((problem) => {
  console.error(problem);
  try {
    draw(html`<main class="page"><${Trouble} problem=${problem} again=${() => location.reload()} /></main>`);
  } catch {
    root.textContent = '网页没有加载完整，请刷新。The page did not load: please reload it.';
  }
});
