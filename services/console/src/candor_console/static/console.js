// Keeps "time left" current and says a time in the reader's own zone. The page is complete without it.
(() => {
  "use strict";

  const chinese = document.documentElement.lang.startsWith("zh");

  // The same words as texts.py: span.*, left.left, left.overdue.
  const span = (total) => {
    const seconds = Math.floor(Math.abs(total) / 1000);
    const days = Math.floor(seconds / 86400);
    const hours = Math.floor((seconds % 86400) / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    if (days) return chinese ? `${days} 天 ${hours} 小时` : `${days} d ${hours} h`;
    if (hours) return chinese ? `${hours} 小时 ${minutes} 分` : `${hours} h ${minutes} min`;
    if (minutes) return chinese ? `${minutes} 分钟` : `${minutes} min`;
    return chinese ? `${seconds % 60} 秒` : `${seconds % 60} s`;
  };

  const words = (left) => {
    if (left < 0) return chinese ? `逾期 ${span(left)}` : `overdue by ${span(left)}`;
    return chinese ? `剩 ${span(left)}` : `${span(left)} left`;
  };

  // The server's clock decides, not the phone's: count on from the time the page was made.
  let made = 0;
  let loaded = 0;
  const now = () => made + (performance.now() - loaded);

  const zone = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "long" });
  // The page as it stands now: at the start, and whenever live.js has brought it up to date.
  const read = () => {
    made = Date.parse(document.querySelector(".foot time").dateTime);
    loaded = performance.now();
    for (const time of document.querySelectorAll("time[data-zone]")) time.title = zone.format(new Date(time.dateTime));
    tick();
  };

  const tick = () => {
    for (const clock of document.querySelectorAll("time[data-left]")) {
      const left = Date.parse(clock.dateTime) - now();
      const text = words(left);
      if (clock.textContent !== text) clock.textContent = text;
      if (left < 0) {
        for (const name of ["due", "duty", "case"]) clock.closest(`.${name}`)?.classList.add(`${name}--overdue`);
        if (clock.classList.contains("left")) clock.className = "left left--overdue";
      }
    }
    for (const bar of document.querySelectorAll("svg.bar[data-begun]")) {
      const begun = Date.parse(bar.dataset.begun);
      const due = Date.parse(bar.dataset.due);
      const share = due > begun ? Math.min(100, Math.max(0, Math.floor((100 * (now() - begun)) / (due - begun)))) : 100;
      const used = bar.querySelector(".bar-used");
      if (used.getAttribute("width") !== String(share)) {
        used.setAttribute("width", share);
        bar.setAttribute("aria-label", bar.getAttribute("aria-label").replace(/\d+/, share));
      }
    }
  };
  read();
  setInterval(tick, 1000);
  addEventListener("candor:fresh", read);

  // On a phone the menu scrolls sideways; a browser leaves a link that is half in sight where it is.
  document.querySelector(".nav")?.addEventListener("focusin", (event) => {
    event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  // A double click sends one form. The command id would make a second one harmless; this spares the wait.
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  // Coming back with the browser's own button may show the page from memory, with forms marked as sent.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
