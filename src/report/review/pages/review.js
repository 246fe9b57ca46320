// The keyboard. Everything that it does can be done without it: by links and forms.
"use strict";
(() => {
  const page = document;
  page.documentElement.classList.add("js");
  const find = (css) => page.querySelector(css);
  const help = find("#help");
  const follow = (css) => { const link = find(css); if (link) link.click(); };

  // Single keys can be turned off: who speaks to the browser, or types elsewhere, must not approve by accident.
  let on = true;
  try { on = localStorage.getItem("keys") !== "off"; } catch { /* storage is blocked: keys stay on */ }
  for (const box of page.querySelectorAll("[data-keys]")) {
    box.checked = on;
    box.addEventListener("change", () => {
      on = box.checked;
      try { localStorage.setItem("keys", on ? "on" : "off"); } catch { /* holds for this page only */ }
    });
  }

  const openHelp = () => { if (help && !help.open) help.showModal(); };
  for (const link of page.querySelectorAll("[data-help]")) {
    link.addEventListener("click", (event) => { if (help) { event.preventDefault(); openHelp(); } });
  }

  const rows = () => [...page.querySelectorAll("a.open")];
  const step = (by) => {
    const all = rows();
    if (all.length === 0) return follow(by > 0 ? "a[rel=next]" : "a[rel=prev]");
    const at = all.indexOf(page.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
    if (next < 0) return follow("a[rel=prev]");
    if (next >= all.length) return follow("a[rel=next]");
    all[next].focus();
  };
  const press = (value) => { const b = find(`.verdict button[value=${value}]`); if (b) b.click(); };
  const search = () => {
    const field = find("[data-search]");
    if (field) { field.focus(); field.select(); return; }
    const list = find("[data-list]");
    if (list) location.href = list.href + "#search";
  };

  const keys = {
    j: () => step(1), k: () => step(-1), a: () => press("approve"), u: () => press("withdraw"),
    r: () => { const note = find("[data-note]"); if (note) note.focus(); },
    l: () => follow("[data-list]"), "/": search, "?": openHelp,
  };
  page.addEventListener("keydown", (event) => {
    if (event.key === "Tab") tabbed = true;
    const at = event.target;
    if (at.matches && at.matches("[data-note]") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return press("reject");
    }
    if (event.key === "Escape" && at.matches && at.matches("input, textarea, select")) return at.blur();
    if (!on || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (at.matches && at.matches("input, textarea, select, [contenteditable]")) return;
    if (help && help.open) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  if (location.hash === "#search") search();

  // A click into the old page would take the keyboard along, and that page answers no key. Who comes there by Tab stays.
  let tabbed = false;
  page.addEventListener("pointerdown", () => { tabbed = false; });
  addEventListener("blur", () => {
    setTimeout(() => {
      const at = page.activeElement;
      if (at && at.tagName === "IFRAME" && !tabbed) { at.blur(); focus(); }
    });
  });

  // A frame may have looked for its place before it had its size: once all is there it looks again.
  const frame = find("iframe[name=archived]");
  if (frame) addEventListener("load", () => { frame.src = frame.getAttribute("src"); }, { once: true });

  // A verdict is sent once.
  for (const form of page.querySelectorAll("form[method=post]")) {
    let sent = false;
    form.addEventListener("submit", (event) => { if (sent) event.preventDefault(); sent = true; });
  }
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
