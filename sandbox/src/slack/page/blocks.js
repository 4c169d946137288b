// Blocks as Slack shows them.

function textOf(object, names) {
  const made = element("div", { class: "text" });
  if (object.type === "mrkdwn") made.append(...mrkdwn(object.text, names));
  else made.textContent = object.emoji === false ? object.text : withEmoji(object.text);
  return made;
}

function button(given, place) {
  return element("button", {
    type: "button", class: `button ${given.style ?? ""}`, "data-action-id": given.action_id, "data-ts": place.ts ?? false,
    "data-channel": place.channel ?? false, "data-value": given.value ?? false, "aria-label": given.accessibility_label ?? false,
  }, withEmoji(given.text.text));
}

function richText(given, names) {
  const part = (one) => {
    if (one.type === "text") {
      const wrap = { bold: "b", italic: "i", strike: "s", code: "code" };
      let made = document.createTextNode(one.text);
      for (const [style, name] of Object.entries(wrap)) if (one.style?.[style]) made = element(name, {}, made);
      return made;
    }
    if (one.type === "link") return link(one.url, one.text ?? one.url);
    if (one.type === "user") return element("span", { class: "mention" }, `@${names.user(one.user_id) ?? one.user_id}`);
    if (one.type === "emoji") return document.createTextNode(withEmoji(`:${one.name}:`));
    return document.createTextNode("");
  };
  const whole = (one) => {
    const parts = () => one.elements.map(part);
    if (one.type === "rich_text_list") return element("ul", {}, one.elements.map((item) => element("li", {}, item.elements.map(part))));
    if (one.type === "rich_text_preformatted") return element("pre", {}, parts());
    if (one.type === "rich_text_quote") return element("blockquote", {}, parts());
    return element("div", {}, parts());
  };
  return element("div", { class: "text" }, given.elements.map(whole));
}

/** A block; `place` is where its buttons are. */
function block(given, names, place) {
  const whole = (kind, ...children) => element("div", { class: `block ${kind}`, "data-block-id": place.view ? false : given.block_id }, ...children);
  const act = (one) => one.type === "button" ? button(one, place) : element("span", { class: "quiet" }, `[${one.type}]`);
  switch (given.type) {
    case "header": return element("h3", { class: "block header" }, withEmoji(given.text.text));
    case "divider": return element("hr", { class: "block divider" });
    case "context": return whole("context", given.elements.map((one) => textOf(one, names)));
    case "actions": return whole("actions", element("div", { class: "elements" }, given.elements.map(act)));
    case "rich_text": return whole("rich", richText(given, names));
    case "input": return field(given, names);
    case "section": {
      const left = element("div", {});
      if (given.text) left.append(textOf(given.text, names));
      if (given.fields) left.append(element("div", { class: "fields" }, given.fields.map((one) => textOf(one, names))));
      return whole("section", left, given.accessory ? act(given.accessory) : []);
    }
    default: return whole("unknown", `[${given.type}]`);
  }
}

let fields = 0;

/** A field of a view. */
function field(given, names) {
  const { element: asked, block_id } = given;
  const id = `field-${fields += 1}`;
  const own = { "data-block-id": block_id, "data-action-id": asked.action_id, "aria-describedby": `${id}-error` };
  const label = withEmoji(given.label.text) + (given.optional ? " (optional)" : "");
  const boxes = asked.type === "checkboxes" || asked.type === "radio_buttons";
  const whole = element(boxes ? "fieldset" : "div", { class: "field", "data-field": block_id });
  if (boxes) {
    const initial = (asked.initial_options ?? [asked.initial_option]).map((one) => one?.value);
    whole.append(element("legend", {}, label));
    for (const option of asked.options) {
      const kind = asked.type === "checkboxes" ? "checkbox" : "radio";
      const input = element("input", { ...own, type: kind, name: id, value: option.value, checked: initial.includes(option.value) });
      const text = element("span", {}, textOf(option.text, names));
      if (option.description) text.append(element("div", { class: "hint" }, textOf(option.description, names)));
      whole.append(element("label", { class: "option" }, input, text));
    }
  } else {
    whole.append(element("label", { for: id }, label), single(asked, { ...own, id }, given.optional));
  }
  if (given.hint) whole.append(element("div", { class: "hint" }, given.hint.text));
  whole.append(element("div", { class: "error", id: `${id}-error`, role: "alert", hidden: true }));
  return whole;
}

function single(asked, own, optional) {
  const placeholder = asked.placeholder?.text ?? false;
  const limits = { maxlength: asked.max_length ?? 3000, "aria-required": optional ? false : "true" };
  if (asked.type === "static_select") {
    const options = asked.options ?? asked.option_groups.flatMap((group) => group.options);
    const chosen = asked.initial_option?.value;
    const made = options.map((one) => element("option", { value: one.value, selected: one.value === chosen }, withEmoji(one.text.text)));
    return element("select", own, element("option", { value: "" }, placeholder || "Choose an option"), made);
  }
  if (asked.multiline) {
    const made = element("textarea", { ...own, ...limits, rows: 4, placeholder });
    made.value = asked.initial_value ?? "";
    return made;
  }
  return element("input", { ...own, ...limits, type: "text", placeholder, value: asked.initial_value ?? "", autocomplete: "off" });
}
