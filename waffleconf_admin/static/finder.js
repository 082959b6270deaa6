// Finding: the search, the groups and the filters show and hide settings at once.

import { controlsOf, displayTexts, focus, statesOf } from "./controls.js";
import { $, $$, closest, on, partOfForm } from "./dom.js";

export const searchTexts = new WeakMap(); // by row, in lower case

const ALL = { q: "", group: "", changed: "", attention: "" };

export async function copyLink(link) {
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

export class Finder {
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
