// Finding: search, groups and filters work at once.

import { controlsOf, displayTexts, focus, statesOf } from "./controls.js";
import { $, $$, closest, on, partOfForm } from "./dom.js";
import { CLOSE, NONE, Search, fold } from "./search.js";

export const searchTexts = new WeakMap(); // by row: its texts, folded, in the order of Search.rank
const MARKED = 300; // rows with marked hits: nobody reads more

// The filters, and the rows that each leaves; week and by load the page again.
const FLAGS = { modified: ".wf-differs", attention: ".wf-attention", locked: ".wf-is-static", secret: ":has(.wf-set)" };
const ALL = { q: "", group: "", modified: "", attention: "", locked: "", secret: "", week: "", by: "" };
const NAMES = Object.keys(ALL);

// A click on the key of a row copies its address, without the filter.
export async function copyLink({ target }) {
  const link = closest(target, ".wf-key");
  if (!link) return;
  const url = new URL(link.href);
  for (const name of NAMES) url.searchParams.delete(name);
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

const partsOf = (row) => ["label, strong", ".wf-key", ".wf-help"].map((selector) => $(selector, row.firstElementChild));
const textOf = (part) => part?.textContent ?? "";

function searchText(row, group) {
  if (!searchTexts.has(row)) {
    const [label, key, help] = partsOf(row).map(textOf);
    const value = row.matches(FLAGS.secret) ? "" : `${displayTexts(statesOf(row))} ${textOf($(".wf-shown", row))}`;
    searchTexts.set(row, [label, key, row.dataset.keywords ?? "", group, help, value].map(fold));
  }
  return searchTexts.get(row);
}

// For the scroll bar, until the group is laid out.
function estimateHeight(section, count) {
  section.style.containIntrinsicHeight = `auto ${count * 84 + 36}px`;
}

const setCurrent = (link, is) => { link.ariaCurrent = is ? "true" : null; };

// In a narrow window the groups are on a line that scrolls; the page itself must not move.
function showChosenGroup() {
  const link = $(".wf-side [aria-current]"), line = $(".wf-side");
  if (!link) return;
  const inner = link.getBoundingClientRect(), outer = line.getBoundingClientRect();
  line.scrollLeft += (inner.left + inner.right - outer.left - outer.right) / 2;
}

const byPlace = (a, b) => a.dataset.place - b.dataset.place || 0;

// Puts siblings into an order, whatever is between them: to move one takes time.
const arrange = (elements) => elements.forEach((element, i) => {
  const last = elements[i - 1];
  if (last?.compareDocumentPosition(element) === Node.DOCUMENT_POSITION_PRECEDING) last.after(element);
});

// Marks are ranges: the text of a row stays as it is.
function rangesOfHits(row, search, close) {
  return partsOf(row).flatMap((part, i) => {
    const node = part?.firstChild;
    return search.spans(textOf(node), close && i < 2).map(([startOffset, endOffset]) =>
      new StaticRange({ startContainer: node, startOffset, endContainer: node, endOffset }));
  });
}

export class Finder {
  constructor(form, search) {
    Object.assign(this, { form, search });
    this.groups = $$(".wf-group", form).sort(byPlace).map((section) => ({
      section,
      name: section.dataset.group,
      title: $("h2", section).textContent,
      rows: $$(".wf-row", section).sort(byPlace),
    }));
    // The server's marks would not follow the search.
    for (const part of $$(":has(> mark)", form)) part.textContent += "";
    this.read();
  }

  read() {
    this.wanted = { ...ALL, ...Object.fromEntries(new URLSearchParams(location.search)) };
    this.search.value = this.wanted.q;
    this.filter();
    if (this.chosen !== this.wanted.group) showChosenGroup();
    this.chosen = this.wanted.group;
  }

  // Filters and searches are steps of Back; more letters belong to the same search.
  want(changes, typing = false) {
    const url = new URL(location), { searchParams } = url;
    for (const name in changes) changes[name] ? searchParams.set(name, changes[name]) : searchParams.delete(name);
    if (["week", "by"].some((name) => (searchParams.get(name) ?? "") !== this.wanted[name])) return location.assign(url);
    history[typing && this.typing ? "replaceState" : "pushState"](null, "", url);
    this.typing = typing;
    this.read();
    this.showTitle();
  }

  filter() {
    const { q, group: chosen } = this.wanted;
    const search = new Search(q), ranks = new Map();
    const selector = `.wf-row:not(.wf-out)${Object.keys(FLAGS).map((name) => this.wanted[name] && FLAGS[name]).join("")}`;
    const byRank = (a, b) => ranks.get(a) - ranks.get(b);
    for (const group of this.groups) {
      for (const row of group.rows) ranks.set(row, row.matches(selector) ? search.rank(q && searchText(row, group.title)) : NONE);
      const rows = group.rows.toSorted(byRank);
      group.found = rows.filter((row) => ranks.get(row) < NONE);
      group.hits = !chosen || chosen === group.name ? group.found : [];
      ranks.set(group, ranks.get(group.hits[0]) ?? NONE);
      const hits = new Set(group.hits);
      // An unsaved change is never hidden.
      const shown = rows.filter((row) => {
        const hidden = !hits.has(row) && !row.matches(".wf-unsaved");
        if (row.hidden !== hidden) row.hidden = hidden;
        return !hidden;
      });
      arrange(shown);
      group.section.hidden = !shown.length;
      estimateHeight(group.section, shown.length);
    }
    const ordered = this.groups.toSorted(byRank);
    arrange(ordered.map(({ section }) => section));
    const hits = ordered.flatMap((group) => group.hits);
    this.first = hits.find((row) => controlsOf(row)[0]);
    const isClose = (row) => ranks.get(row) >= CLOSE;
    CSS.highlights?.set("wf-hit", new Highlight(...hits.slice(0, MARKED).flatMap((row) => rangesOfHits(row, search, isClose(row)))));
    this.showCounts(hits.length, isClose(hits[0]));
  }

  showCounts(count, isClose) {
    const { form, groups, wanted } = this;
    const found = Object.fromEntries(groups.map((group) => [group.name, group.found.length]));
    found[""] = groups.reduce((sum, group) => sum + group.found.length, 0);
    for (const link of $$(".wf-side [data-group]")) {
      const { group } = link.dataset;
      $(".wf-count", link).textContent = found[group];
      link.classList.toggle("wf-nothing", !found[group]);
      setCurrent(link, group === wanted.group);
    }
    for (const chip of $$(".wf-chips [data-only]")) setCurrent(chip, wanted[chip.dataset.only]);
    const narrows = NAMES.some((name) => name !== "group" && wanted[name]);
    const status = $(".wf-found", form), { none, one, many, close } = status.dataset;
    const text = !count ? none : isClose ? close.replace("#", wanted.q.trim()) : count === 1 ? one : many.replace("#", count);
    status.textContent = narrows ? text : "";
    $(".wf-none", form).hidden = count > 0;
    const elsewhere = $(".wf-elsewhere", form), link = elsewhere.firstElementChild;
    elsewhere.hidden = !narrows || found[""] === count;
    link.textContent = link.dataset.text.replace("#", found[""] - count);
  }

  showTitle() {
    if (!$(".wf-top")) return; // the title is that of the app's own layout
    const group = this.groups.find(({ name }) => name === this.wanted.group);
    document.title = [textOf($(".wf-unsaved-count", this.form)), group?.title, textOf($(".wf-top h1"))].filter(Boolean).join(" – ");
  }

  // A setting that the address names is shown, whatever the filter says.
  reveal() {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch {} // a lone %
    const row = document.getElementById(name)?.closest(".wf-row");
    if (!row?.hidden) return;
    this.typing = true; // no step of Back
    this.want(ALL, true);
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
    const more = $(".wf-more[open]");
    if (more && !closest(event.target, ".wf-more :is(summary, form)")) more.open = false;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = closest(event.target, "a:is([data-group], [data-only], [data-all])");
    if (!link) return;
    event.preventDefault();
    const { group, only } = link.dataset;
    this.want(only ? { [only]: this.wanted[only] ? "" : "1" } : group === undefined ? ALL : { group });
    if (!only) scrollTo(0, 0);
  }

  start() {
    const { search } = this;
    on(search, "input", () => this.want({ q: search.value }, true));
    on(search, "blur", () => { this.typing = false; });
    on(search, "focus", () => setTimeout(() => {
      for (const { title, rows } of this.groups) rows.forEach((row) => searchText(row, title));
    }), { once: true });
    on(search, "keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      search.value ? this.want({ q: "" }) : search.blur();
    });
    on(search.form, "submit", (event) => {
      event.preventDefault();
      if (this.first) focus(this.first);
    });
    const by = $(".wf-more form");
    if (by) on(by, "submit", (event) => {
      event.preventDefault();
      this.want({ by: $("[name=by]", by).value.trim() });
    });
    on(document, "keydown", (event) => this.keyPressed(event));
    on(document, "click", (event) => this.linkClicked(event));
    on(window, "hashchange", () => this.reveal());
    on(window, "popstate", () => {
      this.read();
      this.showTitle();
    });
    const count = $(".wf-unsaved-count", this.form);
    if (count) new MutationObserver(() => this.showTitle()).observe(count, { childList: true });
    this.reveal();
  }
}

// Of many boxes to tick those remain whose label or heading has what is typed; what is ticked stays so. The form hears
// nothing of it: who looks for a box has not typed a value.
function filterChoices(event) {
  event.stopPropagation();
  const { value, parentElement: box, nextElementSibling: status } = event.target, typed = fold(value).trim();
  for (const label of $$("label", box)) {
    const heading = textOf(closest(label, ".wf-many fieldset")?.firstElementChild);
    label.hidden = !fold(heading + label.textContent).includes(typed);
  }
  for (const group of $$("fieldset", box)) group.hidden = !$("label:not([hidden])", group);
  status.textContent = $("label:not([hidden])", box) ? "" : status.dataset.none;
}

export function watchFilters(form) {
  for (const filter of $$(".wf-many > [type=search]", form)) {
    filter.hidden = false;
    for (const type of ["input", "change"]) on(filter, type, filterChoices);
    on(filter, "keydown", (event) => { if (event.key === "Enter") event.preventDefault(); }); // it would save
  }
}
