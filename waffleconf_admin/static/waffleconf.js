// The settings page works without this script. It filters settings, marks and counts unsaved changes, and asks before
// they are lost. Its texts come from the page.
"use strict";
{ // Global names are the app's.

// Elements

// A control hides the property of its form that has its name: `form.closest` may be a setting.
const { prototype } = Element;
const $$ = (selector, root = document.body) => [...prototype.querySelectorAll.call(root, selector)];
const $ = (selector, root) => $$(selector, root)[0];
const closest = (element, selector) => prototype.closest.call(element, selector);
const on = (target, type, listener) => prototype.addEventListener.call(target, type, listener);
const partOfForm = (row, selector) => $(selector, closest(row, "form"));

// Controls: the state of each can be read, written and displayed

function controlsOf(row) {
  return $$("input:not([type=hidden]), select, textarea", row.lastElementChild);
}

const statesOf = (row) => controlsOf(row).map((control) => [control, readState(control)]);

function readState(control) {
  if (control.matches("[type=checkbox], [type=radio]")) return control.checked;
  return control.multiple ? [...control.options].map((option) => option.selected) : control.value;
}

function writeState(control, state) {
  if (typeof state === "boolean") control.checked = state;
  else if (control.multiple) [...control.options].forEach((option, i) => { option.selected = state[i]; });
  else control.value = state;
  updateSlider(control);
}

// The state of a control with the text of a value.
function stateOfText(control, text) {
  if (control.type === "radio") return control.value === text;
  if (control.type !== "checkbox") return text;
  return closest(control, ".wf-choices, [role=group]") ? text.split("\n").includes(control.value) : text === "true";
}

function updateSlider(control) {
  const output = control.type === "range" && control.parentElement.querySelector(".wf-slid");
  if (output) output.value = control.value;
}

function displayText([control, state]) {
  if (control.type === "password" || control.type === "hidden") return "";
  if (control.matches("[role=switch]")) return control.parentElement.dataset[state ? "on" : "off"];
  if (typeof state === "boolean") return state ? control.parentElement.textContent : "";
  if (!control.options) return state;
  return [...control.options].filter((option, i) => control.multiple ? state[i] : option.value === state)
    .map((option) => option.text).join(", ");
}

const displayTexts = (states) => states.map(displayText).map((text) => text.replace(/\s+/g, " ").trim()).filter(Boolean).join(", ");

function focus(row) {
  const controls = controlsOf(row);
  const chosen = controls.find((control) => control.type !== "radio" || control.checked) ?? controls[0];
  ($("details:not([open]) > summary", row) ?? chosen)?.focus();
}

// Sending: a form is sent once, or again after a while, for no event says that a request was stopped

const sending = new Set();
let timer;
const allowSending = () => sending.clear();

function startSending(form) {
  sending.add(form);
  clearTimeout(timer);
  timer = setTimeout(allowSending, 5000);
}

function sendOnce(event) {
  if (event.defaultPrevented || !closest(event.target, ".waffle form[method=post]")) return;
  if (sending.has(event.target)) event.preventDefault();
  else startSending(event.target);
}

// Long texts that nobody touched are not sent: the server keeps what is missing.
function leaveOutUntouched({ target, formData }) {
  for (const area of $$(".wf-row:not(.wf-unsaved) textarea", target)) {
    const values = formData.getAll(area.name);
    if (values.length === 1 && values[0] === area.defaultValue) formData.delete(area.name);
  }
}

// Unsaved changes

const stored = new WeakMap(); // by row: each control with its stored state
const searchTexts = new WeakMap(); // by row, in lower case

function storeStates(row) {
  const text = row.dataset.stored;
  // The server sent back what was typed, and can't say what is stored.
  if (row.matches(".wf-unsaved") && text === undefined) return;
  const states = statesOf(row).map(([control, state]) => [control, text === undefined ? state : stateOfText(control, text)]);
  if (states.length) stored.set(row, states);
}

function addUnsavedLine(row) {
  const template = partOfForm(row, ".wf-pending-line");
  const line = template.content.firstElementChild.cloneNode(true);
  const now = $(".wf-now", line);
  let text = displayTexts(stored.get(row));
  if (text.length > 40) text = `${text.slice(0, 39)}…`;
  if (row.matches(".wf-is-secret")) now.parentElement.remove();
  else now.textContent = !text ? template.dataset.empty : row.matches(".wf-quoted") ? `“${text}”` : text;
  row.firstElementChild.append(line);
}

function mark(row) {
  searchTexts.delete(row);
  const changed = !stored.get(row).every(([control, state]) => String(readState(control)) === String(state));
  if (changed && !$(".wf-pending", row)) addUnsavedLine(row);
  if (!changed) {
    row.classList.remove("wf-invalid");
    for (const control of $$("[aria-invalid]", row)) control.removeAttribute("aria-invalid");
    for (const part of $$(".wf-pending, .wf-errors", row)) part.remove();
  }
  row.classList.toggle("wf-unsaved", changed);
  $("[name='waffle.reset']", row)?.remove();
}

function discard(row) {
  for (const [control, state] of stored.get(row)) writeState(control, state);
  mark(row);
}

function reset(row, text) {
  for (const control of controlsOf(row)) writeState(control, stateOfText(control, text));
  mark(row);
  // It deletes the stored row; without it the default would be saved as a value.
  const input = document.createElement("input");
  Object.assign(input, { type: "hidden", name: "waffle.reset", value: row.id });
  row.lastElementChild.append(input);
}

function showCount(form) {
  const total = $$(".wf-row.wf-unsaved", form).length;
  const count = $(".wf-unsaved-count", form);
  if (!count) return total;
  const bar = closest(count, ".wf-bar");
  const wasIdle = bar.classList.contains("wf-idle");
  bar.classList.toggle("wf-idle", total === 0);
  // The bar may cover the control that was changed.
  const active = document.activeElement;
  if (wasIdle && total && active?.form === form) active.scrollIntoView({ block: "nearest" });
  count.textContent = !total ? "" : total === 1 ? count.dataset.one : count.dataset.many.replace("#", total);
  return total;
}

function changed({ type, target }) {
  const row = closest(target, ".wf-row");
  // Who types into “mine” wants it.
  const mine = type === "input" && closest(target, ".wf-mine");
  if (mine) $("input", mine.previousElementSibling).checked = true;
  updateSlider(target);
  if (stored.has(row)) mark(row);
  showCount(this);
}

function clicked(event) {
  const button = closest(event.target, ".wf-undo, .wf-reset[data-default], .wf-key");
  if (!button) return;
  const row = closest(button, ".wf-row");
  if (button.matches(".wf-key")) return copyLink(button);
  if (button.matches(".wf-undo")) discard(row);
  else if (stored.has(row)) reset(row, button.dataset.default);
  else return;
  event.preventDefault();
  showCount(this);
  focus(row);
}

function watchChanges(form) {
  // Of what the server sent back only a new page has the stored values: the link is followed.
  const sentBack = $$(".wf-row.wf-unsaved", form).length;
  $$(".wf-row", form).forEach(storeStates);
  on(form, "input", changed);
  on(form, "change", changed);
  on(form, "click", clicked);
  on(form, "formdata", leaveOutUntouched);
  for (const link of $$(".wf-discard", form)) on(link, "click", (event) => {
    if (sentBack) return startSending(form);
    event.preventDefault();
    $$(".wf-row.wf-unsaved", form).filter((row) => stored.has(row)).forEach(discard);
    showCount(form);
  });
  on(window, "beforeunload", (event) => {
    if (sending.has(form) || !(closest(form, ".wf-reviewing") || showCount(form))) return;
    event.preventDefault();
    setTimeout(allowSending); // for who stays
  });
  showCount(form);
}

// Finding

const ALL = { q: "", group: "", changed: "", attention: "" };

async function copyLink(link) {
  const url = new URL(link.href);
  for (const name in ALL) url.searchParams.delete(name);
  try {
    await navigator.clipboard.writeText(url.href);
  } catch {
    return; // not allowed: the address bar has it
  }
  const message = document.createElement("span");
  message.className = "wf-copied";
  message.setAttribute("role", "status");
  link.after(message);
  requestAnimationFrame(() => { message.textContent = partOfForm(link, ".wf-pending-line")?.dataset.copied; });
  setTimeout(() => message.remove(), 2500);
}

function searchText(row, group) {
  let text = searchTexts.get(row);
  if (text === undefined) {
    const parts = $$(":scope > :is(label, strong, .wf-key, .wf-help)", row.firstElementChild);
    const texts = [group, ...parts.map((part) => part.textContent)];
    if (!row.matches(".wf-is-secret")) texts.push(displayTexts(statesOf(row)), $(".wf-shown", row)?.textContent);
    text = texts.join(" ").toLowerCase();
    searchTexts.set(row, text);
  }
  return text;
}

// For the scroll bar, until the group is laid out.
function estimateHeight(section, count) {
  section.style.containIntrinsicHeight = `auto ${count * 84 + 36}px`;
}

const setCurrent = (link, is) => is ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");

class Finder {
  constructor(form, search) {
    this.search = search;
    this.status = $(".wf-found", form);
    this.none = $(".wf-none", form);
    this.groups = $$(".wf-group", form).map((section) => ({
      section,
      name: section.dataset.group,
      title: $("h2", section).textContent,
      rows: $$(".wf-row", section).map((row) => ({ row, visible: !row.hidden })),
    }));
    for (const { section, rows } of this.groups) estimateHeight(section, rows.length);
    const query = new URLSearchParams(location.search);
    this.wanted = Object.fromEntries(Object.keys(ALL).map((name) => [name, query.get(name) ?? ""]));
  }

  want(changes) {
    Object.assign(this.wanted, changes);
    this.search.value = this.wanted.q;
    this.filter();
  }

  filter() {
    const { wanted } = this;
    const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
    const selector = `.wf-row${wanted.changed && ".wf-differs"}${wanted.attention && ".wf-attention"}`;
    const matches = (row, group) => row.matches(selector) && words.every((word) => searchText(row, group.title).includes(word));
    this.first = undefined; // the first row that is found and has a control
    const counts = new Map(this.groups.map((group) => [group.name, this.filterGroup(group, matches)]));
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    for (const link of $$(".wf-side [data-group]")) {
      const { group } = link.dataset;
      $(".wf-count", link).textContent = group ? counts.get(group) : total;
      setCurrent(link, group === wanted.group);
    }
    for (const chip of $$(".wf-chips [data-only]")) setCurrent(chip, chip.dataset.only ? wanted[chip.dataset.only] : selector === ".wf-row");
    this.showFound(wanted.group ? counts.get(wanted.group) ?? 0 : total);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.remember(), 300);
  }

  filterGroup(group, matches) {
    const here = !this.wanted.group || this.wanted.group === group.name;
    let found = 0, shown = 0;
    for (const entry of group.rows) {
      const { row } = entry;
      const match = matches(row, group);
      found += match;
      if (match && here && controlsOf(row)[0]) this.first ??= row;
      // An unsaved change is never hidden.
      const visible = (match && here) || row.classList.contains("wf-unsaved");
      shown += visible;
      if (entry.visible !== visible) row.hidden = !(entry.visible = visible);
    }
    group.section.hidden = !shown;
    estimateHeight(group.section, shown);
    return found;
  }

  showFound(count) {
    const { none, one, many } = this.status.dataset;
    this.none.hidden = count > 0;
    const filtered = Object.values(this.wanted).some(Boolean);
    this.status.textContent = !filtered ? "" : !count ? none : count === 1 ? one : many.replace("#", count);
  }

  // So a reload shows the same.
  remember() {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(this.wanted)) value ? query.set(name, value) : query.delete(name);
    history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
  }

  prepare() {
    for (const { title, rows } of this.groups) rows.forEach(({ row }) => searchText(row, title));
  }

  // A setting that the address names is shown, whatever the filter says.
  reveal() {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch {} // a lone %
    const row = document.getElementById(name)?.closest(".wf-row");
    if (!row?.hidden) return;
    this.want(ALL);
    row.scrollIntoView();
  }

  keyPressed(event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (closest(event.target, "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]")) return;
    event.preventDefault();
    this.search.focus();
    this.search.select();
  }

  linkClicked(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = closest(event.target, ".wf-side [data-group], .wf-chips [data-only], .wf-none [data-all]");
    if (!link) return;
    event.preventDefault();
    const { group, only } = link.dataset;
    if (group !== undefined) {
      this.want({ group });
      scrollTo(0, 0);
    } else if (only !== undefined) this.want({ changed: "", attention: "", [only || "changed"]: only && "1" });
    else {
      this.want(ALL);
      this.search.focus();
    }
  }

  start() {
    const { search } = this;
    on(search, "input", () => this.want({ q: search.value }));
    on(search, "focus", () => setTimeout(() => this.prepare()), { once: true });
    on(search, "keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      search.value ? this.want({ q: "" }) : search.blur();
    });
    on(search.form, "submit", (event) => {
      event.preventDefault();
      this.filter();
      if (this.first) focus(this.first);
    });
    on(document, "keydown", (event) => this.keyPressed(event));
    on(document, "click", (event) => this.linkClicked(event));
    on(window, "hashchange", () => this.reveal());
    this.reveal();
  }
}

on(document, "submit", sendOnce);
on(document, "input", allowSending);
on(window, "pageshow", allowSending);
for (const form of $$("form[data-waffle]")) {
  watchChanges(form);
  const search = $(".wf-search input[type=search]");
  if (search && $(".wf-found", form)) new Finder(form, search).start();
}
}
