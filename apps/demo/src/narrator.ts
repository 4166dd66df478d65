import { MultiBar, Presets, SingleBar } from 'cli-progress';

const INTERACTIVE = process.stdout.isTTY === true;
const bold = (text: string) => (INTERACTIVE ? `\u001B[1m${text}\u001B[0m` : text);
const dim = (text: string) => (INTERACTIVE ? `\u001B[2m${text}\u001B[0m` : text);

/** Tells the night to whoever watches the terminal. */
export class Narrator {
  private readonly started = Date.now();

  chapter(title: string): void {
    console.log(`\n${bold(title)}`);
  }

  say(text: string): void {
    const seconds = ((Date.now() - this.started) / 1000).toFixed(1).padStart(6);
    console.log(`${dim(`${seconds} s`)}  ${text}`);
  }

  /** Plain lines, indented beneath what was said. */
  list(lines: readonly string[]): void {
    for (const line of lines) console.log(`          ${line}`);
  }

  /** Runs work that tells how far it is, of `total`, with a bar on a terminal. */
  async progress(label: string, total: number, work: (tell: (done: number) => void) => Promise<void>): Promise<void> {
    const bar = new SingleBar(
      { format: `          ${label} [{bar}] {percentage}%  {value} of {total}`, hideCursor: true },
      Presets.shades_classic,
    );
    if (INTERACTIVE) bar.start(total, 0);
    try {
      await work((done) => INTERACTIVE && bar.update(done));
    } finally {
      if (INTERACTIVE) bar.stop();
    }
  }

  /** A bar a row that fill together; without a terminal a line at each quarter of the whole. */
  rings(rows: readonly { readonly label: string; readonly total: number }[]): Rings {
    return new Rings(rows);
  }
}

/** Bars by distance: the picture of 'nearest first'. */
export class Rings {
  private readonly bars: SingleBar[];
  private readonly multi: MultiBar | undefined;
  private toldQuarter = 0;

  constructor(private readonly rows: readonly { readonly label: string; readonly total: number }[]) {
    this.multi = INTERACTIVE
      ? new MultiBar(
          { format: '          {label} [{bar}] {value} of {total}', hideCursor: true, barsize: 32 },
          Presets.shades_classic,
        )
      : undefined;
    this.bars = this.multi ? rows.map(({ label, total }) => this.multi!.create(total, 0, { label })) : [];
  }

  update(done: readonly number[]): void {
    this.bars.forEach((bar, row) => bar.update(done[row] ?? 0));
    if (!INTERACTIVE) this.tellQuarters(done);
  }

  stop(): void {
    this.multi?.stop();
  }

  private tellQuarters(done: readonly number[]): void {
    const [sum, total] = [add(done), add(this.rows.map((row) => row.total))];
    const quarter = total === 0 ? 4 : Math.floor((4 * sum) / total);
    if (quarter <= this.toldQuarter) return;
    this.toldQuarter = quarter;
    const rows = this.rows.map(({ total: size }, row) =>
      size === 0 ? ' –' : `${Math.floor((100 * (done[row] ?? 0)) / size)}%`,
    );
    console.log(`          ${quarter * 25}% asked; by distance: ${rows.join(' ')}`);
  }
}

const add = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);
