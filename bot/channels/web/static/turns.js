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
  document.body.classList.add("talking");
  if (scroll) show(turn);
  return turn;
}

export function show(node) {
  node.scrollIntoView({ block: "start", behavior: reduced.matches ? "auto" : "smooth" });
}

export function append(node) {
  log.append(node);
  document.body.classList.add("talking");
  show(node);
}

export function last() {
  return log.lastElementChild;
}
