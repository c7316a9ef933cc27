// The console's own script: live counts, the ticket page, exports. No library, no inline code.
const csrf = () => document.querySelector('input[name="csrftoken"]')?.value ?? "";

async function post(url, data) {
  const response = await fetch(url, { method: "POST", body: data, headers: { "X-CSRFToken": csrf() } });
  if (!response.ok || response.redirected) { location.reload(); throw new Error(response.status); }
  return response.json();
}

async function read(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) return null;
  return response.json();
}

function every(seconds, work) {
  const turn = async () => { if (!document.hidden) { try { await work(); } catch { /* next time */ } } setTimeout(turn, seconds * 1000); };
  turn();
}

const live = document.getElementById("live");
if (live) {
  let before = null;
  every(5, async () => {
    const counts = await read(live.dataset.url);
    if (!counts) return;
    for (const node of live.querySelectorAll("[data-live]")) node.textContent = counts[node.dataset.live];
    document.title = document.title.replace(/^\(\d+\) /, "");
    if (counts.open) document.title = `(${counts.open}) ${document.title}`;
    if (before !== null && counts.open > before) live.classList.add("fw-bold");
    before = counts.open;
  });
}

const ticket = document.getElementById("ticket");
if (ticket) {
  every(5, async () => {
    const state = await read(ticket.dataset.state);
    if (!state) return;
    const present = document.getElementById("present");
    present.classList.toggle("d-none", state.present.length === 0);
    present.querySelector("[data-names]").textContent = state.present.join("、");
    document.getElementById("changed").classList.toggle("d-none", String(state.version) === ticket.dataset.version);
    for (const [id, said] of Object.entries(state.deliveries)) {
      const node = document.querySelector(`[data-delivery="${id}"]`);
      if (node) node.textContent = said;
    }
  });

  const form = document.getElementById("answer");
  const text = form.elements.namedItem("text");
  const cited = document.getElementById("cited");
  const clause = document.getElementById("clause");

  const insert = (words) => {
    const at = text.selectionStart ?? text.value.length;
    text.setRangeText(words, at, text.selectionEnd ?? at, "end");
    text.focus();
    later();
  };

  const cite = (id) => {
    const option = [...document.querySelectorAll("#clauses option")].find((o) => o.value === id);
    if (!option || [...cited.querySelectorAll("input")].some((i) => i.value === id)) return null;
    const badge = document.createElement("span");
    badge.className = "badge bg-blue-lt me-1";
    const label = option.textContent.split("：")[0];
    badge.append(label);
    const input = document.createElement("input");
    input.type = "hidden"; input.name = "clause"; input.value = id;
    const close = document.createElement("button");
    close.type = "button"; close.className = "btn-close btn-sm"; close.dataset.remove = "";
    close.setAttribute("aria-label", cited.dataset.remove);
    badge.append(input, close);
    cited.append(badge);
    return label;
  };

  document.getElementById("cite").addEventListener("click", (event) => {
    const label = cite(clause.value);
    if (label) insert(event.currentTarget.dataset.words.replace("%s", label));
    clause.value = "";
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if ("remove" in button.dataset && button.closest("#cited")) { button.parentElement.remove(); later(); }
    if (button.dataset.snippet) insert(button.dataset.snippet);
    if (button.dataset.fill) {
      text.value = button.dataset.fill;
      for (const id of JSON.parse(button.dataset.clauses)) cite(id);
      later();
    }
    if (button.dataset.open) {
      const data = new FormData();
      data.append("conversation", button.dataset.conversation);
      const opened = await post(button.dataset.open, data);
      const box = button.parentElement.querySelector(".turns");
      box.replaceChildren(...opened.turns.flatMap((turn) => [turn.text, turn.reply].filter(Boolean).map((words, place) => {
        const line = document.createElement("div");
        line.className = place ? "text-secondary" : turn.asked ? "fw-bold" : "";
        line.textContent = words;
        return line;
      })));
      button.remove();
    }
  });

  let timer = 0;
  const later = () => { clearTimeout(timer); timer = setTimeout(preview, 400); };
  const preview = async () => {
    if (!text.value.trim()) return;
    const shown = await post(form.dataset.preview, new FormData(form));
    document.getElementById("preview-web").innerHTML = shown.web; // escaped by the server, which wrote it
    document.getElementById("preview-telegram").textContent = shown.telegram;
    const box = document.getElementById("warnings");
    box.classList.toggle("d-none", shown.warnings.length === 0);
    box.replaceChildren(...shown.warnings.map((w) => { const p = document.createElement("div"); p.textContent = w; return p; }));
  };
  text.addEventListener("input", later);
  if (text.value) later();
}

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => {
    // After the submission has been put together, so that the pressed button's own values still go with it.
    setTimeout(() => { for (const button of form.querySelectorAll("[data-once]")) button.disabled = true; }, 0);
  });
}

const job = document.getElementById("job");
if (job) {
  every(1, async () => {
    const state = await read(job.dataset.state);
    if (!state || job.dataset.done) return;
    job.querySelector(".progress-bar").style.width = `${state.percent}%`;
    job.querySelector("[data-said]").textContent = state.said;
    if (state.done) { job.dataset.done = "1"; location.reload(); }
  });
}

for (const box of document.querySelectorAll("[data-check-all]")) {
  box.addEventListener("change", () => {
    for (const one of document.querySelectorAll(box.dataset.checkAll)) one.checked = box.checked;
  });
}
