// Keeps a page current without loading it again. The page is complete without it.
// The server says "something is new"; the page is then asked for once more and only what differs is changed, so that
// focus, scroll, what is open and what is half typed stay as they are.
(() => {
  "use strict";

  const main = document.getElementById("main");
  const mark = document.getElementById("live");
  const voice = document.getElementById("say");
  const HEADER = "X-Candor-Live";

  // --- what a person sees and hears of it ---------------------------------------------------------------------------

  const show = (state) => {
    if (mark.dataset.state === state) return;
    mark.dataset.state = state;
    mark.hidden = false;
    mark.textContent = mark.dataset[state];
    if (state === "out") {
      const link = document.createElement("a");
      link.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
      link.textContent = mark.dataset.signIn;
      mark.append(" ", link);
    }
  };

  const clocksOf = (root) =>
    new Map([...root.querySelectorAll("[data-clock][id]")].map((clock) => [clock.id, { ...clock.dataset }]));

  // Only what matters is said: a new clock, one that is overdue now, one that somebody has acknowledged.
  const news = (before, after) => {
    const said = [];
    for (const [id, clock] of after) {
      const known = before.get(id);
      if (!known) said.push(clock.sayNew);
      else if (known.overdue === "0" && clock.overdue === "1") said.push(clock.sayOverdue);
      else if (known.acknowledged === "0" && clock.acknowledged === "1") said.push(clock.sayAcknowledged);
    }
    return said;
  };

  const announce = (sentences) => {
    if (sentences.length) voice.textContent = sentences.slice(0, 5).join(". ");
  };

  // --- changing only what differs -----------------------------------------------------------------------------------

  const FIELDS = new Set(["INPUT", "TEXTAREA", "SELECT"]);
  const touched = (field) => {
    if (field === document.activeElement) return true;
    if (field.tagName === "SELECT") {
      const first = Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
      return field.selectedIndex !== first;
    }
    return field.type === "checkbox" || field.type === "radio"
      ? field.checked !== field.defaultChecked
      : field.value !== field.defaultValue;
  };
  // What the browser, a person or console.js has set is not the server's to take away.
  const kept = (element, name) =>
    (name === "open" && element.tagName === "DETAILS") || name === "data-sent" || (name === "title" && element.dataset.zone !== undefined) || name === "tabindex";

  const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;
  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE && node.id) || "";

  const put = (parent, node, place) => {
    if (parent.moveBefore && parent.isConnected && node.isConnected) parent.moveBefore(node, place);
    else parent.insertBefore(node, place);
  };

  // What has moved to another place of the page waits aside, with what is open and half typed in it, until it is met.
  const aside = document.createElement("div");
  let expected = new Set();
  const elsewhere = (key, from) => {
    const found = expected.has(key) ? document.getElementById(key) : null;
    return found && (main.contains(found) || aside.contains(found)) && !found.contains(from) ? found : null;
  };
  const drop = (node) => {
    if (node.nodeType === Node.ELEMENT_NODE) {
      for (const each of [node, ...node.querySelectorAll("[id]")]) {
        if (expected.has(each.id) && !aside.contains(each)) put(aside, each, null);
      }
      if (aside.contains(node)) return;
    }
    node.remove();
  };

  const morphAttributes = (from, to) => {
    for (const { name, value } of [...to.attributes]) {
      if (!kept(from, name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !kept(from, name)) from.removeAttribute(name);
    }
  };

  const morph = (from, to) => {
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.isEqualNode(to)) return;
    if (FIELDS.has(from.tagName)) {
      // A command id stays with the form it came with.
      if (from.name === "command_id" || from.name === "draft_command_id" || (from.type !== "hidden" && touched(from))) return;
    }
    // What must be seen by now is unfolded once; who folds it again has seen it.
    if (from.tagName === "DETAILS" && to.dataset.open !== undefined && from.dataset.open === undefined) from.open = true;
    morphAttributes(from, to);
    morphChildren(from, to);
  };

  const morphChildren = (from, to) => {
    const wantedKeys = new Set([...to.childNodes].map(keyOf).filter(Boolean));
    for (const child of [...from.childNodes]) {
      if (keyOf(child) && !wantedKeys.has(keyOf(child))) drop(child);
    }
    const known = new Map([...from.childNodes].filter(keyOf).map((child) => [keyOf(child), child]));
    let place = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      let match = null;
      if (keyOf(wanted)) match = known.get(keyOf(wanted)) ?? elsewhere(keyOf(wanted), from);
      else {
        match = place;
        while (match && (keyOf(match) || !alike(match, wanted))) match = match.nextSibling;
      }
      if (match && !alike(match, wanted)) match = null;
      if (!match) {
        const made = document.importNode(wanted, false);
        from.insertBefore(made, place);
        if (made.nodeType === Node.ELEMENT_NODE) morphChildren(made, wanted);
      } else {
        if (match === place) place = place.nextSibling;
        else put(from, match, place);
        morph(match, wanted);
      }
    }
    while (place) {
      const next = place.nextSibling;
      drop(place);
      place = next;
    }
  };

  // --- keeping focus and scroll -------------------------------------------------------------------------------------

  const ancestors = (element) => {
    const found = [];
    for (let each = element; each && each !== main; each = each.parentElement) if (each.id) found.push(each.id);
    return found;
  };

  // What must not move under the pointer or the eye: the field that is typed in, what is pointed at, what has the focus,
  // else what is on top.
  const anchor = () => {
    const typed = document.activeElement;
    if (main.contains(typed) && typed.matches("input, textarea, select")) return typed;
    const pointed = main.querySelector("[id]:hover [id]:hover") ?? main.querySelector("[id]:hover");
    if (pointed) return pointed;
    if (main.contains(document.activeElement) && document.activeElement !== main) {
      return document.activeElement.closest("[id]");
    }
    if (scrollY < 40) return null;
    return [...main.querySelectorAll("[id]")].find((each) => each.getBoundingClientRect().top >= 0) ?? null;
  };

  const change = (fresh) => {
    const focused = main.contains(document.activeElement) ? document.activeElement : null;
    const way = ancestors(focused);
    const fixed = anchor();
    const top = fixed?.getBoundingClientRect().top;
    expected = new Set([...fresh.querySelectorAll("[id]")].map((each) => each.id));
    document.body.append(aside);
    morphChildren(main, fresh);
    aside.replaceChildren();
    aside.remove();
    expected = new Set();
    if (focused && document.activeElement !== focused) {
      const heir = focused.isConnected ? focused : way.map((id) => document.getElementById(id)).find(Boolean) ?? main;
      if (heir !== focused && !heir.matches("a, button, input, select, textarea, summary")) heir.tabIndex = -1;
      heir.focus({ preventScroll: true });
    }
    if (fixed?.isConnected) scrollBy(0, fixed.getBoundingClientRect().top - top);
  };

  // --- asking for the page ------------------------------------------------------------------------------------------

  let asking = false;
  let again = false;
  const refresh = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      do {
        again = false;
        await ask();
      } while (again);
    } finally {
      asking = false;
    }
  };

  const ask = async () => {
    let answer;
    let text;
    try {
      answer = await fetch(location.href.split("#")[0], { headers: { [HEADER]: "1" }, cache: "no-store" });
      text = await answer.text();
    } catch {
      show("again");
      return;
    }
    if (new URL(answer.url).pathname === "/sign-in") {
      leave();
      return;
    }
    if (!answer.ok) {
      show("away");
      return;
    }
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const wanted = fresh.getElementById("main");
    if (!wanted) return;
    const before = clocksOf(main);
    announce(news(before, clocksOf(wanted)));
    change(wanted);
    const foot = document.querySelector(".foot");
    morphChildren(foot, fresh.querySelector(".foot"));
    dispatchEvent(new Event("candor:fresh"));
    show("on");
  };

  // --- listening ----------------------------------------------------------------------------------------------------

  let source = null;
  let seen = null;
  let out = false;
  let timer = 0;
  let late = 0;
  const LATE = 4000;

  const leave = () => {
    out = true;
    source?.close();
    source = null;
    show("out");
  };

  const listen = () => {
    if (source || out || document.hidden) return;
    source = new EventSource("/live");
    source.addEventListener("version", (event) => {
      if (event.data === seen) show("on");
      else {
        seen = event.data;
        refresh();
      }
    });
    source.addEventListener("away", () => {
      seen = null;
      show("away");
    });
    source.addEventListener("error", failed);
  };

  const failed = async () => {
    if (!source) return;
    if (source.readyState !== EventSource.CLOSED) {
      // It connects again by itself, once a minute as well; when that takes long, what is shown may be old.
      late ||= setTimeout(() => {
        late = 0;
        if (source && source.readyState !== EventSource.OPEN) show("again");
      }, LATE);
      return;
    }
    source = null;
    await refresh(); // says whether it is the session that has ended
    if (!out) {
      clearTimeout(timer);
      timer = setTimeout(listen, 2000);
    }
  };

  // A page that nobody sees listens to nothing: a phone's battery, and six connections to a host for all tabs.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else listen();
  });
  addEventListener("pagehide", () => {
    source?.close();
    source = null;
  });
  addEventListener("pageshow", listen);
  listen();
})();
