/** The page's style, inlined: one request shows everything but the photo. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#16181d;--soft:#4a5060;--line:#c9cdd6;--card:#f3f4f7;
--act:#b3151b;--act-ink:#fff;--heed:#fff4d6;--heed-ink:#3d2c00;--heed-line:#d99a00;--link:#0b57d0}
@media (prefers-color-scheme:dark){:root{--paper:#111317;--ink:#f2f3f5;--soft:#b6bcc8;--line:#41464f;--card:#1c1f26;
--act:#d3262c;--act-ink:#fff;--heed:#362a08;--heed-ink:#ffeab8;--heed-line:#c98f00;--link:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"PingFang SC","Hiragino Sans GB","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",sans-serif;overflow-wrap:anywhere}
main{max-width:64rem;margin:0 auto;padding:0 1rem 2rem}
h1{font-size:1.6rem;line-height:1.25;margin:.7rem 0 .4rem;text-wrap:balance}
h2{font-size:1.3rem;line-height:1.3;margin:0 0 .3rem}
p{margin:.4rem 0}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:.3rem}
.mode{margin:0;padding:.6rem 1rem;background:var(--heed);color:var(--heed-ink);border-bottom:2px solid var(--heed-line);
font-weight:700;text-align:center}
.top{display:flex;justify-content:space-between;align-items:center;gap:1rem;max-width:64rem;margin:0 auto;padding:.5rem 1rem}
.kicker{font-weight:700;color:var(--act)}
@media (prefers-color-scheme:dark){.kicker,.fault{color:#ff8d88}}
.top a{padding:.5rem 0}
.photo{display:block;width:100%;max-height:46vh;max-height:46svh;object-fit:contain;background:var(--card);border-radius:.6rem}
.text{white-space:pre-line}
.facts{margin:.8rem 0;display:grid;gap:.1rem .8rem;grid-template-columns:auto 1fr}
.facts dt{color:var(--soft)}
.facts dd{margin:0;font-weight:600}
.heed{margin:1rem 0;padding:.8rem 1rem;background:var(--heed);color:var(--heed-ink);border-left:.4rem solid var(--heed-line);
border-radius:.3rem;font-weight:700;font-size:1.15rem}
.bar{position:sticky;bottom:0;z-index:1;display:flex;gap:.6rem;padding:.6rem 0 max(.6rem,env(safe-area-inset-bottom));
background:var(--paper);box-shadow:0 -.5rem .5rem -.1rem var(--paper)}
.bar>*{flex:1}
.button{display:flex;align-items:center;justify-content:center;min-height:3.4rem;padding:.4rem .8rem;border-radius:.6rem;
border:2px solid var(--act);background:var(--act);color:var(--act-ink);font:inherit;font-weight:700;font-size:1.2rem;
text-align:center;text-decoration:none;cursor:pointer}
.bar .button:first-child{flex:2}
.plain{background:var(--paper);color:var(--ink);border-color:var(--line)}
.idle{border:2px dashed var(--line);background:var(--paper);color:var(--soft);cursor:default}
.said{min-height:1.55em;margin:0;color:var(--soft)}
.said input{width:100%}
form{margin-top:1rem;padding:1rem;background:var(--card);border-radius:.6rem;scroll-margin-top:1rem}
label{display:block;margin:.9rem 0 .25rem;font-weight:600}
label small{font-weight:400;color:var(--soft)}
input,textarea,select{width:100%;min-height:3rem;padding:.6rem .7rem;border:1px solid var(--soft);border-radius:.4rem;
background:var(--paper);color:inherit;font:inherit}
::placeholder{color:var(--soft);opacity:1}
input[type=file]{border-style:dashed}
textarea{min-height:7rem;resize:vertical}
.small{min-height:2.75rem;margin-top:.4rem;width:auto;font-size:1rem;font-weight:600}
.send{width:100%;margin-top:1.2rem}
.fault{margin:.6rem 0;font-weight:700;color:var(--act)}
footer{margin-top:1.5rem;color:var(--soft);font-size:.95rem}
.quiet{max-width:34rem;padding-top:10vh}
.quiet>div{padding:1.6rem 1.4rem;background:var(--card);border-radius:.6rem;font-size:1.15rem}
.quiet h1{margin-top:0}
.quiet .button{margin-top:1.2rem}
[hidden]{display:none!important}
@media (min-width:56rem){.two h1{margin-top:0}.two{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,6fr);gap:2rem;align-items:start}
.two>figure{position:sticky;top:1rem}.alone{max-width:42rem}.photo{max-height:calc(100vh - 6rem)}}
figure{margin:0}
@media print{.bar,form,.said{display:none}}
`;
