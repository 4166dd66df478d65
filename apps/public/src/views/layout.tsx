import type { ComponentChildren } from 'preact';
import type { Language } from '#dispatch';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

interface LayoutProps {
  readonly language: Language;
  readonly title: string;
  /** Tags of the card that messengers draw. */
  readonly card?: ComponentChildren;
  readonly scripted?: boolean;
  readonly children: ComponentChildren;
}

/** One whole document. Its script comes last: the page is read before it runs. */
export function Layout({ language, title, card, scripted = false, children }: LayoutProps) {
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="robots" content="noindex, noarchive" />
        <meta name="format-detection" content="telephone=no" />
        <title>{title}</title>
        {card}
        <link rel="icon" href="data:," />
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        {children}
        {scripted ? <script dangerouslySetInnerHTML={{ __html: SCRIPT }} /> : null}
      </body>
    </html>
  );
}
