// Turns that come about elsewhere: a staff answer, another device of the same person.
import { known, put } from "./turns.js";

const words = document.getElementById("words").content;
const announce = document.getElementById("announce");
let busy = 0;
let held = [];
let source = null;
let broken = false;

// While a message of this page is on its way its turn would come twice, once without its place.
export function pause() {
  busy += 1;
}

export function resume() {
  busy -= 1;
  if (busy === 0) {
    for (const turn of held.splice(0)) arrived(turn);
    if (source === null) listen();
  }
}

function arrived(turn) {
  if (busy > 0) {
    held.push(turn);
    return;
  }
  if (known(turn.id)) return;
  put(turn.html, { scroll: turn.staff });
  if (turn.staff) announce.textContent = words.querySelector("[data-arrived]").textContent;
}

async function catchUp() {
  // What was said while the line was down: the page's own history has it.
  const response = await fetch("/", { credentials: "same-origin" });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const turn of page.querySelectorAll("article.turn")) {
    arrived({ id: turn.dataset.turn, html: turn.outerHTML, staff: turn.querySelector(".staff") !== null });
  }
}

export function listen() {
  if (!window.EventSource) return;
  source = new EventSource("/events");
  source.addEventListener("turn", (event) => arrived(JSON.parse(event.data)));
  source.addEventListener("hello", () => {
    announce.textContent = "";
    if (broken) catchUp().catch(() => {});
    broken = false;
  });
  source.addEventListener("error", () => {
    broken = true;
    announce.textContent = words.querySelector("[data-offline]").textContent;
    if (source.readyState === EventSource.CLOSED) {
      source = null;
      window.setTimeout(listen, 15000);
    }
  });
}
