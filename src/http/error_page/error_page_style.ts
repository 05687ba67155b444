/**
 * The style sheet of the development error page.
 *
 * @module
 */

/** Everything inline: the page's content security policy loads nothing. */
export const errorPageStyle: string = `
:root {
  color-scheme: light dark;
  --page: #f6f5f3; --card: #ffffff; --line: #e3e0db;
  --text: #1d1b19; --dim: #75706a; --faint: #a29c94;
  --red: #c9302c; --red-soft: #fdecea; --red-mark: #f6c6c1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #141416; --card: #1c1c1f; --line: #313136;
    --text: #ececee; --dim: #9c9ca6; --faint: #6d6d77;
    --red: #ff7b72; --red-soft: #35201f; --red-mark: #6b2f2b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  border-top: 4px solid var(--red);
}
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
code, pre, .request, .place {
  font-family: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas,
    "DejaVu Sans Mono", monospace;
  font-size: 0.8125rem;
}
.request {
  display: flex; gap: 0.75rem; align-items: baseline;
  margin: 0 0 1.75rem; color: var(--dim);
}
.request b { color: var(--text); }
.request .path { overflow-wrap: anywhere; unicode-bidi: isolate; }
.request .status { margin-left: auto; white-space: nowrap; }
h1, .cause h2 {
  display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: center;
  margin: 0; color: var(--red); font-size: 1rem; font-weight: 650;
}
h1 .code, .cause h2 .code {
  padding: 0.05rem 0.5rem; border-radius: 1rem;
  background: var(--red-soft); font-weight: 500;
}
.message {
  margin: 0.25rem 0 1.75rem; font-size: 1.5rem; line-height: 1.35;
  font-weight: 600; letter-spacing: -0.01em; max-height: 24rem; overflow: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate;
}
.value {
  font: 400 0.875rem/1.6 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono",
    monospace;
  letter-spacing: 0; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.625rem; padding: 0.75rem 1rem; margin-top: 0.75rem;
}
.cause { margin-top: 2.5rem; }
.cause .message { font-size: 1.125rem; margin-bottom: 1rem; }
.relation { color: var(--dim); font-weight: 500; }
.frames {
  list-style: none; margin: 0; padding: 0; background: var(--card);
  border: 1px solid var(--line); border-radius: 0.625rem; overflow: hidden;
}
.frames > li + li { border-top: 1px solid var(--line); }
.frame {
  display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline;
  padding: 0.6rem 1rem;
}
summary { list-style: none; cursor: pointer; }
summary::-webkit-details-marker { display: none; }
summary .call::before, .group > summary::before {
  content: "›"; display: inline-block; width: 0.5rem; margin-right: 0.5rem;
  color: var(--faint); font-weight: 400; text-align: center;
}
details[open] > summary .call::before, .group[open] > summary::before {
  transform: rotate(90deg);
}
summary:hover { background: var(--page); }
summary:focus-visible { outline: 2px solid var(--red); outline-offset: -2px; }
.call { font-weight: 600; overflow-wrap: anywhere; }
.call i { color: var(--dim); font-weight: 400; font-style: normal; }
.place {
  margin-left: auto; color: var(--dim); overflow-wrap: anywhere;
  unicode-bidi: isolate;
}
.place b { color: var(--text); font-weight: 600; }
.group > summary {
  padding: 0.6rem 1rem; color: var(--dim); font-size: 0.8125rem;
}
.group ul { list-style: none; margin: 0; padding: 0 0 0.5rem 1rem; }
.group .frame { padding: 0.15rem 1rem; }
.group .call { color: var(--dim); font-weight: 400; }
.source {
  margin: 0; padding: 0.6rem 0; overflow-x: auto; line-height: 1.6;
  border-top: 1px solid var(--line); tab-size: 2;
}
.source span {
  display: block; width: max-content; min-width: 100%; padding-right: 1rem;
}
.source span::before {
  content: attr(data-line); display: inline-block; width: 3.75rem;
  padding-right: 1.25rem; text-align: right; color: var(--faint);
}
.source .here { background: var(--red-soft); box-shadow: inset 3px 0 var(--red); }
.source .here::before { color: var(--red); font-weight: 700; }
mark {
  background: var(--red-mark); color: inherit; border-radius: 0.2rem;
  box-shadow: 0 0 0 0.1rem var(--red-mark);
}
footer { margin-top: 2.5rem; color: var(--dim); font-size: 0.875rem; }
@media (max-width: 40rem) {
  .place { margin-left: 1rem; flex-basis: 100%; }
  .message { font-size: 1.25rem; }
  .source span::before { width: 3rem; padding-right: 0.75rem; }
}
`;
