// Who is signed in. The token is in this variable and nowhere else: whoever closes the
// page is signed out of it, and a script that found its way in could read no storage.
//
// Sign-in is OpenID Connect's authorization code with PKCE, in the whole window.

import { prefs } from './prefs.js';

let session = null; // {token, idToken, claims, until}
let place = null; // {issuer, client_id, endpoints}

const PENDING = 'gongji.signing-in'; // verifier and state, while the issuer has the window
const AGAIN = 'gongji.was-here'; // whom to ask the issuer for after a reload: a name, no secret

const redirect = () => location.origin + '/';

async function json(url, init) {
  const answer = await fetch(url, init);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

async function issuer() {
  if (!place) {
    const config = await json('/config.json');
    const endpoints = await json(config.issuer.replace(/\/$/, '') + '/.well-known/openid-configuration');
    if (endpoints.issuer !== config.issuer) throw new Error('the issuer answers under another name');
    place = { ...config, endpoints };
  }
  return place;
}

// example is somebody made up whom the form for adding a relative offers, or nobody.
export const example = () => place?.example;

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

// claimsOf reads a token's claims, to know what to show. Who may do what, the door decides.
function claimsOf(token) {
  const text = atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0))));
}

// signIn leaves for the issuer's page. A quiet one comes back at once: signed in, or not.
export async function signIn(quiet) {
  const { client_id, endpoints } = await issuer();
  const verifier = random(), state = random(), nonce = random();
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  sessionStorage.setItem(PENDING, JSON.stringify({ verifier, state, nonce, back: location.hash }));
  const ask = new URLSearchParams({
    response_type: 'code', client_id, redirect_uri: redirect(), scope: 'openid', state, nonce,
    code_challenge: challenge, code_challenge_method: 'S256', ui_locales: prefs.language,
  });
  if (quiet) {
    ask.set('prompt', 'none');
    ask.set('login_hint', quiet);
  }
  location.assign(endpoints.authorization_endpoint + '?' + ask);
  await new Promise(() => {}); // the page is about to go
}

// arrive finds out who is signed in when the page opens: after the issuer's page, or
// after a reload. It returns the claims, or null.
export async function arrive() {
  const query = new URLSearchParams(location.search);
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? 'null');
  if (query.has('state')) {
    sessionStorage.removeItem(PENDING);
    history.replaceState(null, '', '/' + (pending?.back ?? '')); // the code is for one use; out of the history with it
    if (pending && pending.state === query.get('state')) {
      if (query.has('code')) return exchange(query.get('code'), pending);
      if (query.get('error') !== 'login_required') throw new Error(query.get('error'));
    }
    sessionStorage.removeItem(AGAIN);
    return null;
  }
  const again = sessionStorage.getItem(AGAIN);
  if (again) await signIn(again);
  return null;
}

async function exchange(code, { verifier, nonce }) {
  const { client_id, endpoints } = await issuer();
  const answer = await json(endpoints.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirect(), client_id, code_verifier: verifier }),
  });
  const id = claimsOf(answer.id_token);
  if (id.nonce !== nonce) throw new Error('the token was made for another sign-in');
  session = { token: answer.access_token, idToken: answer.id_token, claims: claimsOf(answer.access_token) };
  sessionStorage.setItem(AGAIN, session.claims.sub);
  return session.claims;
}

export const token = () => session?.token;
export const claims = () => session?.claims ?? null;

const others = new BroadcastChannel('gongji');

// onSignedOut calls back when another window of this browser signed the same person out.
export function onSignedOut(callback) {
  others.onmessage = (message) => {
    if (session && message.data === session.claims.sub) {
      forget();
      callback();
    }
  };
}

function forget() {
  session = null;
  sessionStorage.removeItem(AGAIN);
}

// signOut ends it here, in this browser's other windows, and at the issuer.
export async function signOut() {
  const { client_id, endpoints } = await issuer();
  const idToken = session?.idToken;
  if (session) others.postMessage(session.claims.sub);
  forget();
  location.hash = '';
  if (!endpoints.end_session_endpoint) {
    location.replace('/');
    return;
  }
  const ask = new URLSearchParams({ client_id, post_logout_redirect_uri: redirect() });
  if (idToken) ask.set('id_token_hint', idToken);
  location.assign(endpoints.end_session_endpoint + '?' + ask);
}
