/* What every page can do beyond links and forms: theme, menu, copying the link. Loaded before the body is
   drawn, so that the chosen theme never flashes. */
(() => {
  "use strict";
  const root = document.documentElement;
  const home = document.currentScript.src.split("/static/")[0]; // Insights may live below a path
  const store = (value) => { try { return value === undefined ? localStorage.getItem("theme") : localStorage.setItem("theme", value); } catch { return null; } };
  const theme = store();
  root.classList.add("js");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  function themeSwitch(button) {
    const show = () => { button.setAttribute("aria-pressed", String(dark())); dispatchEvent(new Event("themechange")); };
    button.setAttribute("aria-pressed", String(dark()));
    button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; store(root.dataset.theme); show(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  }

  function menu(button) {
    const side = document.getElementById(button.getAttribute("aria-controls"));
    const set = (open) => { side.classList.toggle("open", open); button.setAttribute("aria-expanded", String(open)); };
    button.addEventListener("click", () => set(!side.classList.contains("open")));
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && side.classList.contains("open")) { set(false); button.focus(); } });
  }

  function copyLink(button) {
    const label = button.querySelector("span"), text = label.textContent;
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(location.href); } catch { return; }
      label.textContent = button.dataset.done;
      setTimeout(() => { label.textContent = text; }, 2000);
    });
  }

  /* The sparklines of a list, in one request after the list itself is there. */
  async function shapes(drawings) {
    if (drawings.length > 50) shapes(drawings.splice(50));
    const query = new URLSearchParams(drawings.map((drawing) => ["course", drawing.dataset.shape]));
    const answer = await fetch(`${home}/courses/shapes/?${query}`).catch(() => null);
    const points = answer?.ok ? await answer.json() : {};
    for (const drawing of drawings) {
      const line = points[drawing.dataset.shape];
      if (!line) continue;
      const [area, path] = drawing.children;
      area.setAttribute("d", `M${line} V24 H0 Z`);
      path.setAttribute("d", `M${line}`);
    }
  }

  /* A disclosure that floats over the page closes on Escape and when one goes elsewhere. */
  function floating(details) {
    details.addEventListener("keydown", (event) => { if (event.key === "Escape" && details.open) { details.open = false; details.querySelector("summary").focus(); } });
    document.addEventListener("click", (event) => { if (!details.contains(event.target)) details.open = false; });
    details.addEventListener("focusout", (event) => { if (event.relatedTarget && !details.contains(event.relatedTarget)) details.open = false; });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-theme-switch]").forEach(themeSwitch);
    document.querySelectorAll(".menu").forEach(menu);
    document.querySelectorAll("[data-copy-link]").forEach(copyLink);
    document.querySelectorAll("details.user, details.dates").forEach(floating);
    document.querySelectorAll("select[data-submit]").forEach((select) => select.addEventListener("change", () => select.form.requestSubmit()));
    const drawings = [...document.querySelectorAll("[data-shape]")];
    if (drawings.length) shapes(drawings);
    addEventListener("beforeprint", () => { for (const details of document.querySelectorAll("details.counted")) details.open = true; });
  });
})();
