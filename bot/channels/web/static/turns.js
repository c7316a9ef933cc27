// Puts turns, rendered and escaped by the server, into the log; each once.
const log = document.getElementById("log");
const reduced = window.matchMedia("(prefers-reduced-motion: reduce)");

export function known(id) {
  return document.getElementById(`turn-${id}`);
}

function parsed(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.querySelector("article");
}

export function put(html, { instead = null, scroll = true } = {}) {
  const turn = parsed(html);
  const old = known(turn.dataset.turn);
  if (old) {
    old.replaceWith(turn);
    if (instead) instead.remove();
  } else if (instead) {
    instead.replaceWith(turn);
  } else {
    log.append(turn);
  }
  began();
  if (scroll) show(turn);
  return turn;
}

function began() {
  if (document.body.classList.contains("talking")) return;
  document.body.classList.add("talking");
  // On a phone the picture stands between the greeting and the talk: it folds up, and can be unfolded.
  if (window.matchMedia("(max-width: 919px)").matches) document.querySelector("details.when").open = false;
}

export function show(node) {
  node.scrollIntoView({ block: "start", behavior: reduced.matches ? "auto" : "smooth" });
}

export function append(node) {
  log.append(node);
  began();
  show(node);
}

export function last() {
  return log.lastElementChild;
}
