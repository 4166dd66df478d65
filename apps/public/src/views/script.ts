/**
 * What the page gains where scripts run: 'hours ago', sharing by a link of one's own, a position added on request, and a
 * key by which a form sent twice is taken once. Everything else works without it. The page that carries it is the same
 * for everybody: by which link the visitor came is read from the address.
 */
export const SCRIPT = `
(() => {
  const page = document.documentElement;
  const params = new URLSearchParams(location.search);
  const came = params.get('f');
  const one = (selector) => document.querySelector(selector);

  for (const time of document.querySelectorAll('time[data-ago]')) {
    const at = new Date(time.dateTime);
    const minutes = Math.max(0, Math.round((Date.now() - at) / 60000));
    const ago = new Intl.RelativeTimeFormat(page.lang, { numeric: 'auto' });
    time.textContent = minutes < 60 ? ago.format(-minutes, 'minute') : ago.format(-Math.round(minutes / 60), 'hour');
    time.title = at.toLocaleString(page.lang);
  }

  for (const link of document.querySelectorAll('a[hreflang]')) {
    if (came) link.search = new URLSearchParams({ lang: link.hreflang, f: came });
  }

  const share = one('#share');
  const said = one('#said');
  const ownLink = async () => {
    const own = location.origin + share.dataset.path;
    if (!came) return own;
    const answer = await fetch(share.dataset.path + '/forward', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ parent: came }),
    }).catch(() => null);
    return answer && answer.ok ? (await answer.json()).url : own + '?f=' + encodeURIComponent(came);
  };
  const showLink = (url) => {
    const field = document.createElement('input');
    field.readOnly = true;
    field.value = url;
    field.setAttribute('aria-label', share.dataset.copyThis);
    said.replaceChildren(share.dataset.copyThis, field);
    field.select();
  };
  let link;
  if (share) {
    share.hidden = false;
    share.addEventListener('click', async () => {
      link ??= ownLink();
      const url = await link;
      try {
        if (navigator.share) {
          await navigator.share({ title: document.title, url });
        } else {
          await navigator.clipboard.writeText(url);
          said.textContent = share.dataset.copied;
        }
      } catch (error) {
        if (error.name !== 'AbortError') showLink(url);
      }
    });
  }

  const form = one('form');
  if (!form) return;
  if (crypto.randomUUID) form.elements.key.value = crypto.randomUUID();
  const here = one('#here');
  if (!navigator.geolocation || !isSecureContext) return;
  here.hidden = false;
  here.addEventListener('click', () =>
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      form.elements.lon.value = coords.longitude.toFixed(5);
      form.elements.lat.value = coords.latitude.toFixed(5);
      here.textContent = here.dataset.added;
      here.disabled = true;
    }, () => { here.hidden = true; }, { timeout: 15000 }),
  );
})();
`;
