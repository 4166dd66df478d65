import type { Language, PublicAlert } from '#dispatch';
import { TEXTS } from '../texts.ts';
import { Layout } from './layout.tsx';
import { SightingForm, type FormState } from './sighting-form.tsx';

interface AlertPageProps {
  readonly alert: PublicAlert;
  readonly language: Language;
  /** Where the page is served, without a trailing slash. */
  readonly origin: string;
  readonly form?: FormState;
}

/** What a hurried stranger needs, in this order: the face, who it is, what to do, and how. */
export function AlertPage({ alert, language, origin, form }: AlertPageProps) {
  const { title, body } = alert.message.texts[language];
  const other = language === 'en' ? 'zh-CN' : 'en';
  const path = `/a/${alert.slug}`;
  return (
    <Layout
      language={language}
      title={title}
      card={<Card alert={alert} language={language} origin={origin} />}
      scripted
    >
      <Mode alert={alert} language={language} />
      <header class={alert.hasPhoto ? 'top' : 'top alone'}>
        <span class="kicker">{TEXTS[language].kicker}</span>
        <a href={`${path}?lang=${other}`} hreflang={other} lang={other}>
          {TEXTS[language].otherLanguage}
        </a>
      </header>
      <main class={alert.hasPhoto ? 'two' : 'alone'}>
        {alert.hasPhoto ? (
          <figure>
            <img class="photo" src={`${path}/photo.jpg`} alt={TEXTS[language].photo} />
          </figure>
        ) : null}
        <div>
          <h1>{title}</h1>
          <p class="text">{body}</p>
          <Facts alert={alert} language={language} />
          <p class="heed">{TEXTS[language].instruction(alert.instruction, alert.callNumber)}</p>
          <Actions alert={alert} language={language} />
          <SightingForm language={language} action={`${path}/sightings?lang=${language}#form`} state={form} />
          <footer>{TEXTS[language].footer}</footer>
        </div>
      </main>
    </Layout>
  );
}

type Part = Pick<AlertPageProps, 'alert' | 'language'>;

function Mode({ alert, language }: Part) {
  return alert.mode === 'real' ? null : <p class="mode">{TEXTS[language].mode[alert.mode]}</p>;
}

function Facts({ alert, language }: Part) {
  const released = alert.releasedAt.toISOString();
  return (
    <dl class="facts">
      <dt>{TEXTS[language].lastSeen}</dt>
      <dd>{alert.place[language]}</dd>
      <dt>{TEXTS[language].asked}</dt>
      <dd>
        <time dateTime={released} data-ago>
          {`${released.slice(0, 16).replace('T', ' ')} UTC`}
        </time>
      </dd>
    </dl>
  );
}

function Actions({ alert, language }: Part) {
  const texts = TEXTS[language];
  return (
    <>
      <div class="bar">
        <CallButton alert={alert} language={language} />
        <button
          class="button plain"
          type="button"
          id="share"
          hidden
          data-path={`/a/${alert.slug}`}
          data-copied={texts.copied}
          data-copy-this={texts.copyThis}
        >
          {texts.share}
        </button>
      </div>
      <p class="said" id="said" role="status" />
    </>
  );
}

/** Calls nobody in an exercise or a demonstration: a drill must not ring at the police. */
export function CallButton({ alert, language }: Part) {
  const text = TEXTS[language].call(alert.callNumber);
  if (alert.mode !== 'real') return <span class="button idle">{text}</span>;
  return (
    <a class="button" href={`tel:${alert.callNumber.replace(/[^\d+*#]/g, '')}`}>
      {text}
    </a>
  );
}

function Card({ alert, language, origin }: Omit<AlertPageProps, 'form'>) {
  const { title, body } = alert.message.texts[language];
  const url = `${origin}/a/${alert.slug}`;
  return (
    <>
      <meta name="description" content={body} />
      <meta property="og:type" content="website" />
      <meta property="og:title" content={title} />
      <meta property="og:description" content={body} />
      <meta property="og:url" content={url} />
      <meta property="og:locale" content={language === 'en' ? 'en_US' : 'zh_CN'} />
      {alert.hasPhoto ? <meta property="og:image" content={`${url}/photo.jpg`} /> : null}
    </>
  );
}
