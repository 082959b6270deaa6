// The settings page works without this script. It finds settings at once, marks what was changed and is not saved,
// counts it, and asks before it is lost. Every word it shows comes from the page.
"use strict";
{ // outside, names are the app's

// A control hides the member of its form that has its name: `form.closest` may be a setting. So forms are not asked.
const { prototype } = Element;
const $$ = (selector, root = document.body) => [...prototype.querySelectorAll.call(root, selector)];
const $ = (selector, root) => $$(selector, root)[0];
const closest = (element, selector) => prototype.closest.call(element, selector);
const on = (target, type, listener) => prototype.addEventListener.call(target, type, listener);

// One control: its state, to be compared and put back, and its value in words.
const read = (control) => {
  if (control.matches("[type=checkbox], [type=radio]")) return control.checked;
  return control.multiple ? [...control.options].map((option) => option.selected) : control.value;
};
const write = (control, value) => {
  if (typeof value === "boolean") control.checked = value;
  else if (control.multiple) [...control.options].forEach((option, i) => { option.selected = value[i]; });
  else control.value = value;
  slide(control);
};
// The state of a control that shows a text.
const stateOf = (control, text) => {
  if (control.type === "radio") return control.value === text;
  if (control.type !== "checkbox") return text;
  return closest(control, ".wf-choices, [role=group]") ? text.split("\n").includes(control.value) : text === "true";
};
const slide = (control) => {
  const shown = control.type === "range" && control.parentElement.querySelector(".wf-slid");
  if (shown) shown.value = control.value;
};
// What controls say, given the state of each.
const inWords = (controls) => controls.map(([control, value]) => {
  if (control.type === "password" || control.type === "hidden") return "";
  if (control.matches("[role=switch]")) return control.parentElement.dataset[value ? "on" : "off"];
  if (typeof value === "boolean") return value ? control.parentElement.textContent : "";
  if (!control.options) return value;
  return [...control.options].filter((option, i) => control.multiple ? value[i] : option.value === value)
    .map((option) => option.text).join(", ");
}).map((text) => text.replace(/\s+/g, " ").trim()).filter(Boolean).join(", ");

// What is on its way is not sent twice. Of a request that was stopped nobody tells: it is soon forgotten.
const leaving = new Set();
let forgetting = 0;
const stay = () => leaving.clear();
const leave = (form) => {
  leaving.add(form);
  clearTimeout(forgetting);
  forgetting = setTimeout(stay, 5000);
};
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !closest(event.target, ".waffle form[method=post]")) return;
  if (leaving.has(event.target)) event.preventDefault();
  else leave(event.target);
});
document.addEventListener("input", stay);
window.addEventListener("pageshow", stay);

for (const form of $$("form[data-waffle]")) {
  const bar = $(".wf-bar", form);
  const count = $(".wf-unsaved-count", form);
  const pending = $(".wf-pending-line", form);
  const rows = $$(".wf-row", form);
  // What the server sent back unsaved counts too.
  const sentBack = $$(".wf-row.wf-unsaved", form).length;
  const reviewing = closest(form, ".wf-reviewing");
  const first = new Map();
  const index = new Map(); // what can be found in each row, in lower case

  const controlsOf = (row) => $$("input:not([type=hidden]), select, textarea", row.lastElementChild);
  const focus = (row) => {
    const controls = controlsOf(row);
    const chosen = controls.find((control) => control.type !== "radio" || control.checked) ?? controls[0];
    ($("details:not([open]) > summary", row) ?? chosen)?.focus();
  };

  const addLine = (row) => {
    const line = pending.content.firstElementChild.cloneNode(true);
    const now = $(".wf-now", line);
    const text = inWords(first.get(row));
    const short = text.length > 40 ? `${text.slice(0, 39)}…` : text;
    if (row.matches(".wf-is-secret")) now.parentElement.remove();
    else if (text) now.textContent = row.matches(":not([class*=wf-is-]), .wf-is-textarea, .wf-is-json") ? `“${short}”` : short;
    else now.textContent = pending.dataset.empty;
    row.firstElementChild.append(line);
  };

  const mark = (row) => {
    index.delete(row);
    const changed = !first.get(row).every(([control, value]) => String(read(control)) === String(value));
    if (changed && !$(".wf-pending", row)) addLine(row);
    if (!changed) {
      row.classList.remove("wf-invalid");
      for (const wrong of $$("[aria-invalid]", row)) wrong.removeAttribute("aria-invalid");
      for (const part of $$(".wf-pending, .wf-errors", row)) part.remove();
    }
    row.classList.toggle("wf-unsaved", changed);
    $("[name='waffle.reset']", row)?.remove();
  };

  const putBack = (row) => {
    for (const [control, value] of first.get(row)) write(control, value);
    mark(row);
  };

  const show = () => {
    const total = $$(".wf-row.wf-unsaved", form).length;
    if (!count) return total;
    const wasIdle = bar.classList.contains("wf-idle");
    bar.classList.toggle("wf-idle", total === 0);
    // The bar may have come up over what is being changed.
    if (wasIdle && total && document.activeElement?.form === form) document.activeElement.scrollIntoView({ block: "nearest" });
    const text = total === 1 ? count.dataset.one : count.dataset.many.replace("#", total);
    count.textContent = total ? text : "";
    return total;
  };

  for (const row of rows) {
    // What was sent back holds what was typed; the page may say what is stored.
    const { stored } = row.dataset;
    if (row.matches(".wf-unsaved") && stored === undefined) continue;
    const state = (control) => stored === undefined ? read(control) : stateOf(control, stored);
    const controls = controlsOf(row).map((control) => [control, state(control)]);
    if (!controls.length) continue;
    first.set(row, controls);
  }

  const reset = (button) => {
    const row = button.closest(".wf-row");
    for (const control of controlsOf(row)) write(control, stateOf(control, button.dataset.default));
    mark(row);
    // With it the row goes; without, the default would be saved as a value.
    const told = document.createElement("input");
    Object.assign(told, { type: "hidden", name: "waffle.reset", value: row.id });
    row.lastElementChild.append(told);
    show();
    focus(row);
  };

  const update = (event) => {
    const row = closest(event.target, ".wf-row");
    // Who writes into “mine” wants it.
    const mine = event.type === "input" && closest(event.target, ".wf-mine");
    if (mine) $("input", mine.previousElementSibling).checked = true;
    slide(event.target);
    if (first.has(row)) mark(row);
    show();
  };
  on(form, "input", update);
  on(form, "change", update);
  on(form, "click", (event) => {
    const button = closest(event.target, ".wf-undo, .wf-reset[data-default], .wf-key");
    if (!button) return;
    const row = button.closest(".wf-row");
    if (button.matches(".wf-key")) copy(button);
    else if (button.matches(".wf-undo")) {
      putBack(row);
      show();
      focus(row);
    } else if (first.has(row)) {
      event.preventDefault();
      reset(button);
    }
  });

  // After an error the page itself is the typed state: then the link loads it anew.
  $(".wf-discard", form)?.addEventListener("click", (event) => {
    if (sentBack) {
      leave(form);
      return;
    }
    event.preventDefault();
    for (const row of first.keys()) if (row.matches(".wf-unsaved")) putBack(row);
    show();
  });

  // Long texts that nobody touched stay here: what is not sent is kept.
  on(form, "formdata", ({ formData }) => {
    for (const area of $$(".wf-row:not(.wf-unsaved) textarea", form)) {
      const sent = formData.getAll(area.name);
      if (sent.length === 1 && sent[0] === area.defaultValue) formData.delete(area.name);
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (leaving.has(form) || !(reviewing || show())) return;
    event.preventDefault();
    setTimeout(stay); // whoever stays may send again
  });
  show();

  // A link to one setting.

  const copy = async (link) => {
    const url = new URL(link.href);
    for (const name in all) url.searchParams.delete(name);
    try {
      await navigator.clipboard.writeText(url.href);
    } catch {
      return; // not allowed, or no https: the address bar has it
    }
    const told = document.createElement("span");
    told.className = "wf-copied";
    told.setAttribute("role", "status");
    link.after(told);
    requestAnimationFrame(() => { told.textContent = pending.dataset.copied; });
    setTimeout(() => told.remove(), 2500);
  };

  // Finding.

  const search = $(".wf-search input[type=search]");
  const told = $(".wf-found", form);
  const none = $(".wf-none", form);
  const groupLinks = $$(".wf-side [data-group]");
  const counts = new Map(groupLinks.map((link) => [link.dataset.group, $(".wf-count", link)]));
  const groups = $$(".wf-group", form).map((section) => ({
    section,
    name: section.dataset.group,
    title: $("h2", section).textContent,
    rows: $$(".wf-row", section).map((row) => ({ row, shown: !row.hidden })),
  }));
  const chips = $$(".wf-chips [data-only]");
  const asked = new URLSearchParams(location.search);
  const all = { q: "", group: "", changed: "", attention: "" };
  const wanted = Object.fromEntries(Object.keys(all).map((name) => [name, asked.get(name) ?? ""]));
  let soon = 0;
  let hit; // the first row that is found and has a control

  const textOf = (row, group) => {
    let text = index.get(row);
    if (text === undefined) {
      const parts = [group, ...row.firstElementChild.children].map((part) => {
        if (typeof part === "string") return part;
        return part.matches("label, strong, .wf-key, .wf-help") ? part.textContent : "";
      });
      if (!row.matches(".wf-is-secret")) parts.push(inWords(controlsOf(row).map((control) => [control, read(control)])), $(".wf-shown", row)?.textContent ?? "");
      text = parts.join(" ").toLowerCase();
      index.set(row, text);
    }
    return text;
  };

  // How high a group is that was not laid out yet, so that the scroll bar is about right.
  const measure = (section, count) => { section.style.containIntrinsicHeight = `auto ${count * 84 + 36}px`; };
  for (const group of groups) measure(group.section, group.rows.length);

  const current = (link, is) => is ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");

  const filter = () => {
    const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
    const active = Object.values(wanted).some(Boolean);
    const only = `.wf-row${wanted.changed && ".wf-differs"}${wanted.attention && ".wf-attention"}`;
    let found = 0, shown = 0;
    hit = undefined;
    for (const group of groups) {
      const here = !wanted.group || wanted.group === group.name;
      let foundHere = 0, shownHere = 0;
      for (const entry of group.rows) {
        const { row } = entry;
        const finds = row.matches(only) && words.every((word) => textOf(row, group.title).includes(word));
        foundHere += finds;
        if (finds && here) hit ??= controlsOf(row)[0] && row;
        // What is not saved yet is never out of sight.
        const visible = (finds && here) || row.classList.contains("wf-unsaved");
        shownHere += visible;
        if (entry.shown !== visible) {
          entry.shown = visible;
          row.hidden = !visible;
        }
      }
      group.section.hidden = !shownHere;
      measure(group.section, shownHere);
      found += foundHere;
      shown += here ? foundHere : 0;
      if (counts.has(group.name)) counts.get(group.name).textContent = foundHere;
    }
    if (counts.has("")) counts.get("").textContent = found;
    none.hidden = shown > 0;
    told.textContent = !active ? "" : shown === 0 ? told.dataset.none : shown === 1 ? told.dataset.one : told.dataset.many.replace("#", shown);
    for (const a of groupLinks) current(a, a.dataset.group === wanted.group);
    for (const a of chips) current(a, a.dataset.only ? wanted[a.dataset.only] : only === ".wf-row");
    clearTimeout(soon);
    soon = setTimeout(remember, 300);
  };

  // So that a reload, or a link to this page, shows the same.
  const remember = () => {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(wanted)) value ? query.set(name, value) : query.delete(name);
    history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
  };

  const prepare = () => {
    for (const group of groups) for (const { row } of group.rows) textOf(row, group.title);
  };

  const want = (changes) => {
    Object.assign(wanted, changes);
    search.value = wanted.q;
    filter();
  };

  if (search && told) {
    search.addEventListener("input", () => { wanted.q = search.value; filter(); });
    search.addEventListener("focus", () => setTimeout(prepare), { once: true });
    on(search.form, "submit", (event) => {
      event.preventDefault();
      filter();
      if (hit) focus(hit);
    });
    search.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      search.value ? want({ q: "" }) : search.blur();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (closest(event.target, "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]")) return;
      event.preventDefault();
      search.focus();
      search.select();
    });
    document.addEventListener("click", (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const link = closest(event.target, ".wf-side [data-group], .wf-chips [data-only], .wf-none [data-all]");
      if (!link) return;
      event.preventDefault();
      const { group, only } = link.dataset;
      if (group !== undefined) want({ group });
      else if (only !== undefined) want({ changed: "", attention: "", [only || "changed"]: only && "1" });
      else want(all);
      if (group !== undefined) window.scrollTo({ top: 0 });
      if (link.dataset.all !== undefined) search.focus();
    });
    // The address names one setting: it is shown, whatever the filter says.
    const reveal = () => {
      let name = location.hash.slice(1);
      try { name = decodeURIComponent(name); } catch {} // a lone %
      const row = document.getElementById(name)?.closest(".wf-row");
      if (!row?.hidden) return;
      want(all);
      row.scrollIntoView();
    };
    window.addEventListener("hashchange", reveal);
    reveal();
  }
}
}
