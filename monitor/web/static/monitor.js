// The pages work without this. What it adds: parts marked data-live are fetched anew every few seconds while they are seen.
"use strict";

const EVERY = 3000;

function keepLive(part) {
  const note = document.querySelector("[data-live-note]");
  if (note) note.textContent = "Shown as it goes on.";
  setInterval(async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(part.dataset.live);
      if (answer.ok) part.innerHTML = await answer.text();
      if (note) note.textContent = answer.ok ? "Shown as it goes on." : "This is how it was; no newer answer comes.";
    } catch {
      if (note) note.textContent = "This is how it was; no newer answer comes.";
    }
  }, EVERY);
}

document.querySelectorAll("[data-live]").forEach(keepLive);
