// The page: asks for what is new twice a second, and redraws what has changed.

const query = new URLSearchParams(location.search);
let state = null;
let dismissed = 0;
const drawn = new Map();
const folded = new Set();

const me = () => query.get("as") ?? "";
const channel = () => state.channels.find((one) => one.id === query.get("channel")) ?? preferred();

/** The one with messages, or the one named security. */
function preferred() {
  return state.channels.find((one) => one.messages.length > 0) ?? state.channels.find((one) => one.name === "security") ?? state.channels[0];
}

const names = {
  user: (id) => state.users.find((one) => one.id === id)?.name,
  channel: (id) => state.channels.find((one) => one.id === id)?.name,
  group: (id) => state.groups.find((one) => one.id === id)?.handle,
};

function go(key, value) {
  query.set(key, value);
  history.replaceState(null, "", `?${query}`);
}

async function refresh() {
  const since = state ? `&since=${state.version}` : "";
  try {
    const answer = await fetch(`/_slack/state?as=${encodeURIComponent(me())}${since}`, { cache: "no-store" });
    if (answer.status === 200) {
      state = await answer.json();
      draw();
    }
  } catch {
    at("status").textContent = "the double is gone";
    at("status").classList.remove("on");
  }
}

function draw() {
  if (!me()) go("as", state.users.find((one) => !one.note)?.id ?? "");
  document.title = `${state.team} · #${channel().name}`;
  at("team").textContent = state.team;
  const connected = state.connections > 0 && !state.down;
  at("status").textContent = state.down ? "Slack is down" : connected ? `app connected (${state.connections})` : "app not connected";
  at("status").classList.toggle("on", connected);
  drawPeople();
  drawChannels();
  drawMessages();
  drawWarning();
  showView(state.view, names);
}

function drawPeople() {
  const people = state.users.filter((one) => one.id !== state.bot);
  const wanted = JSON.stringify([people, me()]);
  if (at("as").dataset.drawn === wanted) return;
  at("as").dataset.drawn = wanted;
  const label = (one) => `${one.real_name || one.name}${one.note ? ` (${one.note})` : ""}`;
  at("as").replaceChildren(...people.map((one) => element("option", { value: one.id, selected: one.id === me() }, label(one))));
}

function drawChannels() {
  const current = channel();
  const wanted = JSON.stringify([current.id, state.channels.map((one) => [one.id, one.name, one.messages.length])]);
  at("channel-name").textContent = `# ${current.name}${current.is_archived ? " (archived)" : ""}${current.is_member ? "" : " (the app is not in it)"}`;
  if (at("channels").dataset.drawn === wanted) return;
  at("channels").dataset.drawn = wanted;
  at("channels").replaceChildren(...state.channels.map((one) => {
    const count = one.messages.length > 0 ? element("span", { class: "count" }, String(one.messages.length)) : [];
    const made = element("button", { type: "button", "data-channel": one.id, "aria-current": String(one.id === current.id) }, `# ${one.name}`, count);
    made.addEventListener("click", () => { go("channel", one.id); draw(); });
    return element("li", {}, made);
  }));
}

function drawMessages() {
  const { messages, ephemerals, id } = channel();
  const all = [...messages, ...ephemerals].sort((one, other) => Number(one.ts) - Number(other.ts));
  at("empty").hidden = all.length > 0;
  const list = at("messages");
  const bottom = list.parentElement;
  const wasAtEnd = bottom.scrollTop + bottom.clientHeight > bottom.scrollHeight - 60;
  const nodes = all.map((message) => {
    const key = `${me()} ${id} ${message.ts}`;
    const wanted = JSON.stringify(message);
    const known = drawn.get(key);
    if (known?.wanted === wanted) return known.node;
    const node = messageNode(message);
    drawn.set(key, { wanted, node });
    return node;
  });
  for (const old of [...list.children]) if (!nodes.includes(old)) old.remove();
  nodes.forEach((node, index) => { if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null); });
  if (wasAtEnd) bottom.scrollTop = bottom.scrollHeight;
}

function messageNode(message) {
  const place = { ts: message.ts, channel: message.channel };
  const date = new Date(Number(message.ts) * 1000);
  const time = element("time", { datetime: date.toISOString(), title: date.toLocaleString() }, date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  const byline = element("div", { class: "byline" }, element("b", {}, names.user(message.user) ?? message.user), element("span", { class: "tag" }, "APP"), time);
  if (message.only_for) byline.append(element("span", { class: "quiet" }, "Only visible to you"));
  const whole = element("li", { class: `message ${message.only_for ? "ephemeral" : ""}`, "data-ts": message.ts, "data-channel": message.channel, tabindex: -1 }, byline);
  if (message.blocks.length > 0) whole.append(...message.blocks.map((one) => block(one, names, place)));
  else whole.append(element("div", { class: "block" }, textOf({ type: "mrkdwn", text: message.text }, names)));
  if (message.edited && message.blocks.length === 0) whole.append(element("span", { class: "edited" }, "(edited)"));
  whole.addEventListener("click", (event) => {
    const pressed = event.target.closest("button[data-action-id]");
    if (pressed && pressed.dataset.ts === message.ts) press(pressed, message);
  });
  if (message.replies.length > 0) whole.append(thread(message));
  return whole;
}

function thread(message) {
  const count = message.replies.length === 1 ? "1 reply" : `${message.replies.length} replies`;
  const made = element("details", { class: "thread", open: !folded.has(message.ts) }, element("summary", {}, count));
  made.append(element("ol", { class: "replies" }, message.replies.map(messageNode)));
  made.addEventListener("toggle", () => made.open ? folded.delete(message.ts) : folded.add(message.ts));
  return made;
}

function given(blocks, action_id) {
  const all = blocks.flatMap((one) => [...(one.elements ?? []), one.accessory].filter(Boolean));
  return all.find((one) => one.action_id === action_id);
}

async function press(pressed, message) {
  const { actionId } = pressed.dataset;
  const asked = given(message.blocks, actionId)?.confirm;
  if (asked && !(await confirmed(asked, names))) return;
  pressed.disabled = true;
  pressed.classList.remove("failed");
  dismissed = state.warnings.length;
  const { outcome, refusal } = await send("click", { user: me(), channel: message.channel, ts: message.ts, action_id: actionId });
  pressed.disabled = false;
  pressed.classList.toggle("failed", !outcome?.in_time);
  if (refusal) warn(refusal);
  await refresh();
}

function drawWarning() {
  const unseen = state.warnings.slice(dismissed);
  if (unseen.length > 0) warn(unseen.at(-1).text);
  else at("warning").hidden = true;
}

function warn(text) {
  at("warning-text").textContent = text;
  at("warning").hidden = false;
}

at("warning-dismiss").addEventListener("click", () => {
  dismissed = state.warnings.length;
  at("warning").hidden = true;
});
at("as").addEventListener("change", () => {
  go("as", at("as").value);
  state = null;
  dismissed = 0;
  refresh();
});
at("view-blocks").addEventListener("click", async (event) => {
  const pressed = event.target.closest("button[data-action-id]");
  if (!pressed) return;
  await send("click-in-view", { user: me(), action_id: pressed.dataset.actionId });
  await refresh();
});

async function live() {
  await refresh();
  setTimeout(live, 500);
}
live();
