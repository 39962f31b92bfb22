// What pages need before they are there: the theme without a flash, words for moments, and switches without a server.
(() => {
  const KEEP = 400 * 24 * 60 * 60; // seconds; browsers keep no cookie longer
  const root = document.documentElement;
  const cookie = (name) => document.cookie.split("; ").find((part) => part.startsWith(name + "="))?.split("=")[1];
  const keep = (name, value) =>
    (document.cookie = `${name}=${value}; path=/; max-age=${KEEP}; samesite=strict${location.protocol === "https:" ? "; secure" : ""}`);
  const system = matchMedia("(prefers-color-scheme: dark)");

  const show = () => {
    const wanted = cookie("segue_theme");
    root.dataset.theme = wanted === "light" || wanted === "dark" ? wanted : system.matches ? "dark" : "light";
  };
  show();
  system.addEventListener("change", show);

  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  // The zone that the user chose, else the browser's; the page names it before its elements are there.
  const dates = (options) => {
    let made;
    return (at) => {
      made ??= zoned(options, document.querySelector('meta[name="segue-zone"]')?.content);
      return made.format(new Date(at));
    };
  };
  const zoned = (options, timeZone) => {
    try {
      return new Intl.DateTimeFormat("en", { ...options, timeZone });
    } catch {
      return new Intl.DateTimeFormat("en", options); // a zone that this browser is too old for
    }
  };
  const day = dates({ dateStyle: "medium" });
  const exact = dates({ dateStyle: "full", timeStyle: "long" });
  const UNITS = [
    ["second", 1, 60],
    ["minute", 60, 60],
    ["hour", 3600, 24],
    ["day", 86400, 14],
  ];

  window.segue = {
    theme(name) {
      keep("segue_theme", name);
      show();
    },
    relative(at, now) {
      if (!at) return "–";
      const seconds = (new Date(at).getTime() - (now ?? Date.now())) / 1000;
      if (Math.abs(seconds) < 5) return "just now";
      for (const [unit, length, most] of UNITS)
        if (Math.abs(seconds) < length * most) return words.format(Math.trunc(seconds / length), unit);
      return day(at);
    },
    full: (at) => (at ? exact(at) : ""),
    dates,
    // A word over the page with a link, which NiceGUI's own notifications cannot have.
    toast(type, message, label, href) {
      const actions = [{ label, color: "white", handler: () => location.assign(href) }];
      Quasar.Notify.create({ type, message, actions, position: "bottom-right", classes: "toast", timeout: 8000 });
    },
  };

  const toggle = (button, on) => {
    document.body.classList.toggle(button.dataset.toggles, on);
    button.setAttribute("aria-expanded", String(document.body.classList.contains(button.dataset.toggles)));
  };
  const copy = async (button) => {
    const source = button.parentElement.querySelector(".copy-text");
    if (button.dataset.copies === "address") source.value = location.origin + source.dataset.path;
    source.select();
    // Without encryption browsers have no clipboard for pages but this old way.
    if (navigator.clipboard) await navigator.clipboard.writeText(source.value);
    else document.execCommand("copy");
    button.lastElementChild.textContent = "Copied";
  };
  document.addEventListener("click", (event) => {
    const copier = event.target.closest("[data-copies]");
    if (copier) return void copy(copier);
    const button = event.target.closest("[data-toggles]");
    if (button) return toggle(button);
    const open = document.querySelector('[data-toggles][aria-expanded="true"]');
    if (open && !event.target.closest(".side")) toggle(open, false);
  });
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && document.querySelector('[data-toggles][aria-expanded="true"]');
    if (open) {
      toggle(open, false);
      open.focus();
    }
  });
})();
