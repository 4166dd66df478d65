import sharp from 'sharp';

/** A drawn portrait of a child who does not exist. */
const DRAWING = `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="1100" viewBox="0 0 900 1100">
  <defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#cfe3ee"/><stop offset="1" stop-color="#eef3ea"/></linearGradient></defs>
  <rect width="900" height="1100" fill="url(#sky)"/>
  <path d="M150 1100c0-220 120-330 300-330s300 110 300 330z" fill="#f2b632"/>
  <path d="M450 770v330" stroke="#c98f14" stroke-width="10"/>
  <path d="M250 800c40-60 120-90 200-90s160 30 200 90c-50 30-120 45-200 45s-150-15-200-45z" fill="#d99c1f"/>
  <rect x="395" y="650" width="110" height="120" rx="40" fill="#eab98f"/>
  <ellipse cx="450" cy="470" rx="205" ry="240" fill="#f3c9a0"/>
  <path d="M232 470c-20-210 80-320 218-320s238 110 218 320c-20-90-60-150-110-175-60 45-220 55-260 5-35 40-58 100-66 170z" fill="#2b2320"/>
  <ellipse cx="368" cy="490" rx="20" ry="24" fill="#2b2320"/><ellipse cx="532" cy="490" rx="20" ry="24" fill="#2b2320"/>
  <path d="M335 440c20-14 46-14 66 0M499 440c20-14 46-14 66 0" stroke="#2b2320" stroke-width="10" fill="none" stroke-linecap="round"/>
  <path d="M450 510c-8 30-14 45 6 52" stroke="#d79a6c" stroke-width="9" fill="none" stroke-linecap="round"/>
  <path d="M390 610c40 32 80 32 120 0" stroke="#b0584a" stroke-width="12" fill="none" stroke-linecap="round"/>
  <circle cx="318" cy="560" r="30" fill="#f0a98a" opacity=".5"/><circle cx="582" cy="560" r="30" fill="#f0a98a" opacity=".5"/>
</svg>`;

export function drawPortrait(): Promise<Buffer> {
  return sharp(Buffer.from(DRAWING)).jpeg({ quality: 88 }).toBuffer();
}
