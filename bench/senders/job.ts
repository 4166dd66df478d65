import { readFileSync } from 'node:fs';
import { TEXTS } from '../../test/harness/officer.ts';

/** Whom a sender sends to: what its own books would hold of them. */
export interface Recipient {
  readonly token: string;
  readonly platform: 'android' | 'ios';
  readonly language: 'zh-CN' | 'en';
}

/** One run: the simulator counts by the alert's id. */
export interface SendJob {
  readonly alert: string;
  /** To so many of the recipients, the first ones. */
  readonly count: number;
}

export interface SendReport {
  /** Epoch milliseconds. */
  readonly beganAt: number;
  readonly accepted: number;
}

type Group = Readonly<Record<'platform' | 'language', string>> & { readonly tokens: readonly string[] };

/** Recipients who are told the very same, together. */
export function groupsOf(recipients: readonly Recipient[]): Group[] {
  const groups = Map.groupBy(recipients, ({ platform, language }) => `${platform} ${language}`);
  return [...groups.values()].map((group) => {
    const { platform, language } = group[0] as Recipient;
    return { platform, language, tokens: group.map(({ token }) => token) };
  });
}

/** What `projects.messages.send` takes for a phone, but for its token: as long, and of the same keys, as Golden72's own. */
export function messageFor({ platform, language }: Readonly<Record<'platform' | 'language', string>>, alert: string) {
  const { title, body } = TEXTS[language === 'en' ? 'en' : 'zh-CN'];
  const expires = new Date(Date.now() + 86_400_000);
  const data = {
    ...{ kind: 'alert', alert, slug: 'AbCdEfGhIjKl', version: '1', title },
    body: `${body}\n${language === 'en' ? 'If you see the child, stay with them and call' : '如发现孩子，请陪在孩子身边，并拨打'} 110`,
    ...{ area: '{"c":[120.6,31.3],"r":120000}', band: '30', sound: 'wake' },
    ...{ link: 'http://127.0.0.1:3001/a/AbCdEfGhIjKl', expires: expires.toISOString(), ref: 'A'.repeat(22) },
  };
  if (platform === 'android') {
    return { android: { priority: 'high' as const, collapseKey: alert, ttl: 86_000_000, data } };
  }
  const headers = {
    ...{ 'apns-priority': '10', 'apns-push-type': 'alert', 'apns-collapse-id': alert },
    'apns-expiration': `${Math.floor(expires.getTime() / 1000)}`,
  };
  const aps = { alert: { title, body: data.body }, 'mutable-content': 1, 'interruption-level': 'time-sensitive' };
  return { apns: { headers, payload: { aps: { ...aps, sound: 'default' }, ...data } } };
}

/** The same as it goes over the wire: firebase-admin names some things otherwise. */
export function wireMessageFor(group: Readonly<Record<'platform' | 'language', string>>, alert: string) {
  const message = messageFor(group, alert);
  if (!('android' in message)) return message;
  const { data } = message.android;
  return { android: { priority: 'HIGH', collapse_key: alert, ttl: '86000s', data } };
}

/** Reads the recipients that the argument names, says that it is ready, and does what it is asked. */
export function serve(send: (recipients: readonly Recipient[], job: SendJob) => Promise<number>): void {
  const recipients = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as Recipient[];
  process.on('message', (job: SendJob) => {
    const beganAt = Date.now();
    void send(recipients.slice(0, job.count), job).then((accepted) =>
      process.send?.({ beganAt, accepted } satisfies SendReport),
    );
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ ready: true });
}
