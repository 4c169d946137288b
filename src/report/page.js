"use strict";
(() => {
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const text = (cell) => (cell.querySelector(".v") ?? cell).textContent;
  const number = (cell) => {
    const plain = cell.dataset.sort ?? text(cell).replaceAll(",", "").trim();
    return plain === "" ? NaN : Number(plain);
  };
  const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const compare = (column, numeric, falling) => (one, other) => {
    const a = one.rows[0].cells[column], b = other.rows[0].cells[column];
    if (numeric) {
      const x = number(a), y = number(b);
      // What has no number stands last, whichever way.
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return falling ? y - x : x - y;
    }
    const order = words.compare(text(a), text(b));
    return falling ? -order : order;
  };

  const sortable = (table, heads, tools) => {
    const numeric = heads.map((head, column) =>
      head.classList.contains("number") ||
      [...table.tBodies].every((body) => body.rows[0].cells[column]?.dataset.sort !== undefined));
    const sort = (column, falling) => {
      const rows = [...table.tBodies].sort(compare(column, numeric[column], falling));
      table.append(...rows);
      for (const head of heads) head.removeAttribute("aria-sort");
      heads[column].setAttribute("aria-sort", falling ? "descending" : "ascending");
      select.value = `${column} ${falling}`;
    };
    const select = make("select", "");
    select.append(make("option", "as listed", { value: "" }));
    heads.forEach((head, column) => {
      const name = head.textContent;
      head.replaceChildren(make("button", name, { type: "button" }));
      head.firstChild.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        sort(column, now === null ? numeric[column] : now === "ascending");
      });
      for (const falling of [false, true]) {
        const way = numeric[column] ? ["lowest first", "highest first"] : ["A to Z", "Z to A"];
        select.append(make("option", `${name}, ${way[Number(falling)]}`, { value: `${column} ${falling}` }));
      }
    });
    select.addEventListener("change", () => {
      const [column, falling] = select.value.split(" ");
      if (falling !== undefined) sort(Number(column), falling === "true");
    });
    const label = make("label", "Sort by ", { class: "narrow" });
    label.append(select);
    tools.append(label);
  };

  const filterable = (table, title, tools) => {
    const rows = [...table.tBodies];
    const input = make("input", "", { type: "search", autocomplete: "off", spellcheck: "false" });
    const label = make("label", "Filter ");
    label.append(input);
    input.setAttribute("aria-label", `Filter: ${title}`);
    const shown = make("span", "", { role: "status" });
    const held = new Map();
    const holds = (body) => {
      if (!held.has(body)) held.set(body, body.textContent.toLowerCase());
      return held.get(body);
    };
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
      let count = 0;
      for (const body of rows) {
        const text = wanted.length === 0 ? "" : holds(body);
        body.hidden = !wanted.every((word) => text.includes(word));
        count += Number(!body.hidden);
      }
      shown.textContent = wanted.length === 0 ? "" : `${count} of ${rows.length} rows`;
    });
    tools.append(label, shown);
  };

  const unfolding = (table) => {
    for (const body of table.tBodies) {
      const more = body.rows[1];
      if (!more) continue;
      const first = body.rows[0].cells[0];
      const button = make("button", "", { type: "button", class: "unfold", "aria-expanded": "false" });
      button.setAttribute("aria-label", `Details: ${text(first)}`);
      more.hidden = true;
      more.querySelector("details").open = true;
      button.addEventListener("click", () => {
        more.hidden = !more.hidden;
        button.setAttribute("aria-expanded", String(!more.hidden));
      });
      first.prepend(button);
    }
  };

  document.documentElement.classList.add("js");
  for (const section of document.querySelectorAll("section.table")) {
    const table = section.querySelector("table");
    if (!table) continue;
    const tools = make("div", "", { class: "tools" });
    const rows = table.tBodies.length;
    if (rows > 8) filterable(table, section.querySelector("h2").textContent, tools);
    if (rows > 1) sortable(table, [...table.tHead.rows[0].cells], tools);
    unfolding(table);
    section.insertBefore(tools, section.querySelector(".scroll"));
  }
})();
