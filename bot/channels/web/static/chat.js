// Sends forms in the background: messages, choices, feedback.
import { append, last, put, show } from "./turns.js";
import { pause, resume } from "./live.js";

const question = document.getElementById("question");
let queue = Promise.resolve();

function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

// An answer that a model writes comes sentence by sentence; the turn at the end takes their place.
async function written(response, hear) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += decoder.decode(value || new Uint8Array(), { stream: !done });
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const kind = /^event: (.*)$/m.exec(block);
      const data = /^data: (.*)$/m.exec(block);
      if (!kind || !data) continue;
      const told = JSON.parse(data[1]);
      if (kind[1] === "turn") return told.html;
      if (kind[1] === "problem") throw new Error(told.detail);
      hear(told.html);
    }
    if (done) throw new Error("");
  }
}

async function post(action, data, hear = () => {}) {
  const response = await fetch(action, {
    method: "POST",
    body: new URLSearchParams(data),
    headers: { "X-Fragment": "stream", Accept: "application/problem+json, text/vnd.fragment" },
    credentials: "same-origin",
  });
  const type = response.headers.get("content-type") || "";
  if (response.ok && type.includes("event-stream")) return written(response, hear);
  if (response.ok) return response.text();
  const problem = type.includes("json") ? await response.json() : {};
  throw new Error(problem.detail || "");
}

function waitingFor(said) {
  const turn = document.getElementById("waiting").content.querySelector("article").cloneNode(true);
  turn.querySelector(".said p").textContent = said;
  append(turn);
  return turn;
}

async function say(data, said, byKeyboard) {
  const waiting = waitingFor(said);
  pause();
  try {
    const body = document.createElement("div");
    body.className = "body";
    const html = await post("/chat", data, (sentence) => {
      const holder = document.createElement("template");
      holder.innerHTML = sentence;
      body.append(holder.content);
      if (!body.isConnected) waiting.querySelector(".reply").prepend(body);
    });
    const turn = put(html, { instead: waiting });
    if (byKeyboard) turn.focus({ preventScroll: true });
  } catch (error) {
    failed(waiting, error.message, () => {
      waiting.remove();
      enqueue(data, said, byKeyboard);
    });
  } finally {
    resume();
  }
}

function failed(waiting, words, again) {
  const notice = document.getElementById("failed").content.querySelector("p").cloneNode(true);
  if (words) notice.querySelector("span").textContent = words;
  notice.querySelector("button").addEventListener("click", again);
  waiting.querySelector(".reply").replaceChildren(notice);
  show(waiting);
}

function enqueue(data, said, byKeyboard) {
  queue = queue.then(() => say(data, said, byKeyboard));
}

function onSay(event, form) {
  event.preventDefault();
  const pressed = event.submitter;
  const key = fresh(); // a repeated post is answered once
  if (pressed && pressed.name === "choice") {
    // A pressed button may be far above: the focus goes to the reply, for those who cannot see it arrive.
    enqueue({ choice: pressed.value, key }, pressed.textContent, pressed.matches(":focus-visible"));
    return;
  }
  const text = question.value.trim();
  if (!text) {
    question.focus();
    return;
  }
  question.value = "";
  grow();
  enqueue({ text, key }, text, false);
}

async function onFeedback(event, form) {
  event.preventDefault();
  const data = Object.fromEntries(new FormData(form));
  if (event.submitter && event.submitter.name) data[event.submitter.name] = event.submitter.value;
  const turn = form.closest("article");
  const open = turn.querySelector("details.sources")?.open;
  try {
    const renewed = put(await post(form.getAttribute("action"), data), { scroll: false });
    if (open) renewed.querySelector("details.sources").open = true;
    (renewed.querySelector("form.words input[name=words]") || renewed).focus({ preventScroll: true });
  } catch {
    form.submit();
  }
}

function grow() {
  question.style.height = "auto";
  question.style.height = `${Math.min(question.scrollHeight + 2, 180)}px`;
}

export function takeOver(root) {
  root.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-say]")) onSay(event, form);
    else if (form.matches("[data-feedback]")) onFeedback(event, form);
  });
  question.addEventListener("input", grow);
  question.addEventListener("keydown", (event) => {
    // Not while an input method composes: there Enter takes a candidate.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      question.form.requestSubmit ? question.form.requestSubmit() : question.form.querySelector(".send").click();
    }
  });
  root.addEventListener("click", (event) => {
    for (const menu of root.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  root.addEventListener("keydown", (event) => {
    const menu = root.querySelector("details.menu[open]");
    if (event.key === "Escape" && menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  if (!location.hash && last()) last().scrollIntoView({ block: "start" });
}
