// Confirmation dialogs and views.

const at = (id) => document.getElementById(id);

async function send(path, body) {
  const answer = await fetch(`/_slack/${path}`, { method: "POST", body: JSON.stringify(body) });
  const said = await answer.json();
  return answer.ok ? { outcome: said } : { refusal: said.message };
}

/** Asks; whether the person said yes. */
function confirmed(asked, names) {
  at("confirm-title").textContent = withEmoji(asked.title.text);
  at("confirm-text").replaceChildren(textOf(asked.text, names));
  at("confirm-yes").textContent = asked.confirm.text;
  at("confirm-yes").className = `button ${asked.style ?? "primary"}`;
  at("confirm-no").textContent = asked.deny.text;
  const dialog = at("confirm");
  dialog.returnValue = "";
  dialog.showModal();
  at("confirm-no").focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
at("confirm-yes").addEventListener("click", () => at("confirm").close("yes"));
at("confirm-no").addEventListener("click", () => at("confirm").close("no"));

let shownView = null;

/** Shows the view that is open, or closes it; what was entered stays while the view is the same. */
function showView(open, names) {
  const dialog = at("view");
  if (!open) {
    shownView = null;
    if (dialog.open) dialog.close();
    return;
  }
  const { view } = open;
  if (shownView?.id !== view.id || shownView?.hash !== view.hash) {
    at("view-title").textContent = withEmoji(view.title?.text ?? "");
    at("view-blocks").replaceChildren(...view.blocks.map((one) => block(one, names, { view: view.id })));
    at("view-submit").textContent = view.submit?.text ?? "Submit";
    at("view-submit").hidden = !view.submit;
    at("view-cancel").textContent = view.close?.text ?? "Cancel";
    at("view-error").hidden = true;
    dialog.dataset.viewId = view.id;
    dialog.dataset.callbackId = view.callback_id;
    shownView = view;
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("#view-blocks input, #view-blocks textarea, #view-blocks select")?.focus();
  }
  for (const error of dialog.querySelectorAll(".field")) showError(error, open.errors[error.dataset.field]);
}

function showError(whole, text) {
  const error = whole.querySelector(".error");
  error.hidden = !text;
  error.textContent = text ?? "";
}

/** What was entered, as the control request takes it. */
function entered() {
  const values = new Map();
  for (const input of at("view-blocks").querySelectorAll("[data-action-id][data-block-id]")) {
    const key = `${input.dataset.blockId}\n${input.dataset.actionId}`;
    const one = values.get(key) ?? [input.dataset.blockId, input.dataset.actionId, input.type === "checkbox" ? [] : null];
    if (input.type === "checkbox") one[2].push(...(input.checked ? [input.value] : []));
    else if (input.type === "radio") one[2] = input.checked ? input.value : one[2];
    else one[2] = input.value === "" ? null : input.value;
    values.set(key, one);
  }
  return [...values.values()];
}

function missing(values) {
  let found = false;
  for (const given of shownView.blocks.filter((one) => one.type === "input" && !one.optional)) {
    const value = values.find(([block]) => block === given.block_id)?.[2];
    const empty = value === null || value === undefined || (Array.isArray(value) && value.length === 0);
    const whole = at("view-blocks").querySelector(`[data-field="${CSS.escape(given.block_id)}"]`);
    showError(whole, empty ? "Please complete this required field." : "");
    found ||= empty;
  }
  return found;
}

at("view-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const values = entered();
  if (missing(values)) return;
  const submit = at("view-submit");
  submit.disabled = true;
  const { outcome, refusal } = await send("submit", { user: me(), view_id: shownView.id, values });
  submit.disabled = false;
  const failed = refusal ?? (outcome.in_time ? "" : "We had some trouble connecting. Try again?");
  at("view-error").hidden = !failed;
  at("view-error").textContent = failed;
  await refresh();
});

async function closeView() {
  if (!shownView) return;
  const view_id = shownView.id;
  shownView = null;
  at("view").close();
  await send("close", { user: me(), view_id });
  await refresh();
}
at("view-cancel").addEventListener("click", closeView);
at("view").addEventListener("cancel", (event) => { event.preventDefault(); closeView(); });
