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
  const made = Date.parse(document.querySelector(".foot time").dateTime);
  const loaded = performance.now();
  const now = () => made + (performance.now() - loaded);

  const clocks = [...document.querySelectorAll("time[data-left]")];
  const tick = () => {
    for (const clock of clocks) {
      const left = Date.parse(clock.dateTime) - now();
      const text = words(left);
      if (clock.textContent !== text) clock.textContent = text;
      if (left < 0) {
        clock.closest(".due, .duty")?.classList.add(clock.closest(".due") ? "due--overdue" : "duty--overdue");
        if (clock.classList.contains("left")) clock.className = "left left--overdue";
      }
    }
  };
  if (clocks.length) {
    tick();
    setInterval(tick, 1000);
  }

  const zone = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "long" });
  for (const time of document.querySelectorAll("time[data-zone]")) time.title = zone.format(new Date(time.dateTime));

  // A double click sends one form. The command id would make a second one harmless; this spares the wait.
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
    });
  }
  // Coming back with the browser's own button may show the page from memory, with forms marked as sent.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
