/** What PromQL (https://prometheus.io/docs/prometheus/latest/querying/basics/) has beside functions, numbers and metrics. */
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset']);

/** A metric of an expression, with the labels that must have just these values. */
export interface Selector {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The metrics that an expression asks for. */
export function selectorsOf(expression: string): Selector[] {
  const bare = expression
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '');
  const found = [...bare.matchAll(/(?<![\w:."])([a-zA-Z_:][\w:]*)\s*(\(|\{([^}]*)\})?/g)];
  return found
    .filter(([, name = '', after]) => after !== '(' && !WORDS.has(name))
    .map(([, metric = '', , matchers = '']) => ({ metric, labels: labelsOf(matchers) }));
}

/** One line of Prometheus's text format, e.g. `up{job="api"} 1`. */
export interface Sample extends Selector {
  readonly value: number;
}

/** What a process serves; comments left out. */
export function samplesOf(text: string): Sample[] {
  const lines = text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/gm);
  return [...lines].map(([, metric = '', labels = '', value]) => {
    return { metric, labels: labelsOf(labels), value: Number(value) };
  });
}

/** Every metric that has a description, with what Prometheus makes of a histogram. */
export function describedIn(text: string): Set<string> {
  const types = [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)];
  const names = types.flatMap(([, name = '', type]) =>
    type === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => name + end) : [name],
  );
  return new Set(names);
}

function labelsOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']): [string, string] => [
    name,
    value,
  ]);
  return Object.fromEntries(pairs);
}
