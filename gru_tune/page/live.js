// Asks the server now and then whether the study has grown, and then loads the page anew,
// at the place where the reader was. Only in pages that `report --live` serves.
"use strict";
(() => {
  const PERIOD = 3000; // milliseconds between two questions
  const KEY = "gru-tune-place";
  const version = document.querySelector("meta[name=version]")?.content;

  const note = document.createElement("div");
  note.id = "live";
  note.setAttribute("role", "status");
  Object.assign(note.style, {
    position: "fixed", insetInlineEnd: "0.75rem", bottom: "0.75rem", padding: "0.25rem 0.6rem", zIndex: 10,
    font: "0.8rem system-ui, sans-serif", color: "CanvasText", background: "Canvas",
    border: "1px solid GrayText", borderRadius: "0.4rem",
  });
  document.body.append(note);
  addEventListener("beforeprint", () => { note.hidden = true; });
  addEventListener("afterprint", () => { note.hidden = false; });
  const updated = `updated ${new Date().toLocaleTimeString([], { hourCycle: "h23" })}`;
  const say = (text) => { if (note.textContent !== text) note.textContent = text; };

  const details = () => [...document.querySelectorAll("details")];

  function remember() {
    const open = details().map((one) => one.open);
    const scheme = document.documentElement.dataset.scheme;
    sessionStorage.setItem(KEY, JSON.stringify({ x: scrollX, y: scrollY, open, scheme }));
  }

  function restore() {
    const place = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    sessionStorage.removeItem(KEY);
    if (!place) return;
    details().forEach((one, i) => { if (i in place.open) one.open = place.open[i]; });
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    if (place.scheme && place.scheme !== system) document.getElementById("scheme").click();
    history.scrollRestoration = "manual";
    // The plots are drawn after the page has come, and it grows with them.
    const go = () => scrollTo(place.x, place.y);
    const grown = new ResizeObserver(go);
    const stop = () => grown.disconnect();
    go();
    grown.observe(document.body);
    for (const event of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(event, stop, { once: true });
    setTimeout(stop, 3000);
  }

  // A filter that is being typed, or a text that is being marked, is not taken away.
  const busy = () =>
    document.activeElement?.matches("input, select, textarea") || getSelection()?.type === "Range";

  async function ask() {
    if (document.hidden) return;
    try {
      const answer = await fetch("/version", { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      if ((await answer.text()) === version) say(updated);
      else if (busy()) say(`${updated}; there is news`);
      else {
        remember();
        location.reload();
      }
    } catch {
      say(`${updated}; the server is gone: gru-tune report --live starts it again`);
    }
  }

  say(updated);
  restore();
  setInterval(ask, PERIOD);
  addEventListener("visibilitychange", ask);
})();
