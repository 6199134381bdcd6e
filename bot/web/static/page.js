// Pages need no script. This one has "/" lead to the field that finds anything, and what is under way move by itself.
"use strict";

document.addEventListener("keydown", (event) => {
  const place = event.target;
  const writes = place instanceof HTMLElement && (place.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(place.tagName));
  if (event.key !== "/" || writes || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById("find").select();
});

// Parts of a page that move are marked data-live, and only while something is under way. They are asked for again at
// most forty times, ever more slowly where there is no answer, and not at all in a tab that nobody sees.
const EVERY = 15_000;
const MOST = 40;
let asked = 0;
let wait = EVERY;
let timer = 0;

function isBusy(part) {
  return part.contains(document.activeElement) || part.querySelector("details[open]") !== null;
}

function show(part, fresh) {
  if (part.innerHTML === fresh.innerHTML || isBusy(part)) return;
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  part.classList.remove("moved");
  void part.offsetWidth; // so that the mark begins anew
  part.classList.add("moved");
}

async function look() {
  timer = 0;
  if (document.hidden) return;
  asked += 1;
  try {
    const answer = await fetch(location.href, { cache: "no-store", redirect: "error", credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh !== null) show(part, fresh);
      if (fresh === null || !("live" in fresh.dataset)) delete part.dataset.live;
    }
    wait = EVERY;
  } catch {
    wait *= 2;
  }
  plan();
}

function plan() {
  if (timer === 0 && asked < MOST && document.querySelector("[data-live]") !== null) timer = setTimeout(look, wait);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) plan();
});
plan();
