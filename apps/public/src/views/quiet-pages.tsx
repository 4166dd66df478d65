import type { ComponentChildren } from 'preact';
import type { Language, PublicAlert } from '#dispatch';
import { TEXTS } from '../texts.ts';
import { CallButton } from './alert-page.tsx';
import { Layout } from './layout.tsx';

interface QuietProps {
  readonly language: Language;
  readonly title: string;
  readonly children: ComponentChildren;
}

function Quiet({ language, title, children }: QuietProps) {
  return (
    <Layout language={language} title={title}>
      <main class="quiet">
        <div>
          <h1>{title}</h1>
          {children}
        </div>
      </main>
    </Layout>
  );
}

/** After the ending: the ending's own public text or, where there is none, a general one; never the alert's. */
export function EndedPage({ alert, language }: { readonly alert: PublicAlert; readonly language: Language }) {
  const general = TEXTS[language].ended;
  const { kind, texts } = alert.message;
  const told = kind === 'found' || kind === 'cancel' || kind === 'expire' ? texts[language] : general;
  return (
    <Quiet language={language} title={told.title}>
      <p class="text">{told.body}</p>
      <p>{general.request}</p>
    </Quiet>
  );
}

export function ThanksPage({ alert, language }: { readonly alert: PublicAlert; readonly language: Language }) {
  const { title, body, still, back } = TEXTS[language].thanks;
  return (
    <Quiet language={language} title={title}>
      <p>{body}</p>
      <p>{still}</p>
      <CallButton alert={alert} language={language} />
      <p>
        <a href={`/a/${alert.slug}?lang=${language}`}>{back}</a>
      </p>
    </Quiet>
  );
}

/** A page that says one thing: there is none here, or it cannot be shown now. */
export function NoticePage({
  language,
  notice,
}: {
  readonly language: Language;
  readonly notice: 'notFound' | 'failed';
}) {
  const { title, body } = TEXTS[language][notice];
  return (
    <Quiet language={language} title={title}>
      <p>{body}</p>
    </Quiet>
  );
}
