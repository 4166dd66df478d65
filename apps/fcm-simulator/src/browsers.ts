/** User-Agents of people's browsers, each different, as friends' phones would send. */
const TEMPLATES = [
  'Mozilla/5.0 (Linux; Android 14; 23127PN0CC) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%v Mobile Safari/537.36',
  'Mozilla/5.0 (Linux; Android 13; V2241A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%v Mobile Safari/537.36',
  'Mozilla/5.0 (Linux; Android 12; ALN-AL00) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/%v Mobile Safari/537.36 MicroMessenger/8.0.47',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/%v Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%v Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%v Safari/537.36',
] as const;

/** The n-th friend's browser. */
export function browser(n: number): string {
  const template = TEMPLATES[n % TEMPLATES.length] ?? TEMPLATES[0];
  return template.replace('%v', `${118 + (n % 20)}.0.${5000 + (Math.floor(n / 200) % 5000)}.${n % 200}`);
}
