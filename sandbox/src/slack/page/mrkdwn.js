"use strict";
// Slack's markup as elements. Nothing is ever set as HTML: names and texts come from strangers.

const EMOJI = {
  warning: "⚠️", rotating_light: "🚨", white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", no_entry: "⛔", no_entry_sign: "🚫",
  octagonal_sign: "🛑", lock: "🔒", unlock: "🔓", closed_lock_with_key: "🔐", key: "🔑", shield: "🛡️", bell: "🔔", no_bell: "🔕",
  mag: "🔍", eyes: "👀", fire: "🔥", zap: "⚡", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", alarm_clock: "⏰",
  bust_in_silhouette: "👤", busts_in_silhouette: "👥", robot_face: "🤖", gear: "⚙️", wrench: "🔧", hammer: "🔨", broom: "🧹",
  wastebasket: "🗑️", memo: "📝", pencil: "📝", pencil2: "✏️", link: "🔗", label: "🏷️", inbox_tray: "📥", outbox_tray: "📤",
  page_facing_up: "📄", package: "📦", question: "❓", exclamation: "❗", information_source: "ℹ️", bulb: "💡", tada: "🎉", skull: "💀",
  snowflake: "❄️", ice_cube: "🧊", rewind: "⏪", arrows_counterclockwise: "🔄", arrow_right: "➡️", point_right: "👉", raised_hand: "✋",
  speech_balloon: "💬", thumbsup: "👍", "+1": "👍", "-1": "👎", wave: "👋", red_circle: "🔴", large_green_circle: "🟢",
  large_yellow_circle: "🟡", large_orange_circle: "🟠", large_blue_circle: "🔵", white_circle: "⚪", black_circle: "⚫", clock3: "🕒",
  double_vertical_bar: "⏸️", arrow_forward: "▶️", leftwards_arrow_with_hook: "↩️", ballot_box_with_check: "☑️", mute: "🔇",
};

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat());
  return made;
}

const decoded = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
}

function link(url, label) {
  const safe = /^(https?:|mailto:)/i.test(url);
  if (!safe) return document.createTextNode(label);
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

function dated(seconds, format, fallback) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  const day = (options) => date.toLocaleDateString("en", options);
  const medium = { year: "numeric", month: "short", day: "numeric" };
  const long = { weekday: "long", year: "numeric", month: "long", day: "numeric" };
  const minutes = Math.round((date - Date.now()) / 60000);
  const parts = {
    date: day({ year: "numeric", month: "long", day: "numeric" }), date_short: day(medium), date_long: day(long),
    date_num: date.toLocaleDateString("sv"), date_pretty: day({ month: "long", day: "numeric" }), date_short_pretty: day(medium),
    date_long_pretty: day(long), time: date.toLocaleTimeString("en", { hour: "numeric", minute: "2-digit" }),
    time_secs: date.toLocaleTimeString("en"), ago: new Intl.RelativeTimeFormat("en").format(minutes, "minute"),
  };
  return format.replace(/\{([a-z_]+)\}/g, (whole, name) => parts[name] ?? whole);
}

/** What stands between < and >. */
function reference(inner, names) {
  const [target, label] = inner.includes("|") ? inner.split(/\|(.*)/s) : [inner, ""];
  const mention = (text) => element("span", { class: "mention" }, decoded(text));
  if (target.startsWith("@")) return mention(`@${names.user(target.slice(1)) ?? (label || target.slice(1))}`);
  if (target.startsWith("#")) return mention(`#${names.channel(target.slice(1)) ?? (label || target.slice(1))}`);
  if (target.startsWith("!subteam^")) return mention(`@${names.group(target.slice(9)) ?? (label.replace(/^@/, "") || "group")}`);
  if (target.startsWith("!date^")) {
    const [, seconds, format, url] = target.split("^");
    const text = dated(seconds, decoded(format ?? ""), decoded(label));
    return url ? link(url, text) : element("span", { title: decoded(label) }, text);
  }
  if (target.startsWith("!")) return mention(`@${label || target.slice(1)}`);
  return link(decoded(target), decoded(label || target));
}

const INLINE = /(`+[^`\n]+`+)|<([^<>\n]+)>|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])|(?<![\w~])~([^~\n]+)~(?![\w~])/;

function inline(text, names) {
  const found = INLINE.exec(text);
  if (!found) return text ? [document.createTextNode(withEmoji(decoded(text)))] : [];
  const [whole, code, inner, bold, italic, struck] = found;
  const made = code !== undefined ? element("code", {}, decoded(code.replace(/^`|`$/g, "")))
    : inner !== undefined ? reference(inner, names)
    : bold !== undefined ? element("b", {}, inline(bold, names))
    : italic !== undefined ? element("i", {}, inline(italic, names))
    : element("s", {}, inline(struck, names));
  return [...inline(text.slice(0, found.index), names), made, ...inline(text.slice(found.index + whole.length), names)];
}

function mrkdwn(text, names) {
  const made = [];
  for (const [index, part] of text.split("```").entries()) {
    if (index % 2 === 1) {
      made.push(element("pre", {}, decoded(part.replace(/^\n|\n$/g, ""))));
      continue;
    }
    let quoted = [];
    const flush = () => {
      if (quoted.length > 0) made.push(element("blockquote", {}, inline(quoted.join("\n"), names)));
      quoted = [];
    };
    const lines = part.split("\n");
    for (const [number, line] of lines.entries()) {
      const quote = /^(?:>|&gt;) ?(.*)$/.exec(line);
      if (quote) {
        quoted.push(quote[1]);
        continue;
      }
      const after = quoted.length > 0;
      flush();
      made.push(...inline((number > 0 && !after ? "\n" : "") + line, names));
    }
    flush();
  }
  return made;
}
