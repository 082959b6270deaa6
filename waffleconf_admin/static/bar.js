// The bar: it counts what is not saved, saves by keyboard, discards all, and asks before anything is lost.

import { focus, readState, writeState } from "./controls.js";
import { $, $$, closest, on } from "./dom.js";
import { copyLink } from "./finder.js";
import { allowSending, clearFailure, leaveOutUntouched, sending, showMessage, stopTrying, submit } from "./sending.js";
import { clicked, discard, draftOf, restore, stored, storeStates, typed } from "./unsaved.js";

// The bar must not cover the status of the row in use.
function showWhole(row) {
  if (row?.offsetHeight < innerHeight / 2) row.scrollIntoView({ block: "nearest" });
}

export class Bar {
  constructor(form) {
    this.form = form;
    this.count = $(".wf-unsaved-count", form);
    this.bar = $(".wf-bar", form);
    this.back = $(".wf-back", form);
  }

  get unsaved() {
    return $$(".wf-row.wf-unsaved", this.form);
  }

  // The reason and the end. They belong to the changes: they are kept, discarded and brought back with them.
  get controls() {
    return $$("[name^='waffle.']:not(button)", this.bar);
  }

  show() {
    const { count, bar, back } = this;
    const total = this.unsaved.length;
    if (!back) return total;
    back.hidden = !this.discarded || total > 0;
    bar.classList.toggle("wf-idle", !total && back.hidden);
    bar.classList.toggle("wf-discarded", !back.hidden);
    if (!total) {
      stopTrying(count);
      clearFailure(count);
    }
    const { one, many, discarded } = count.dataset;
    count.dataset.counted = total === 1 ? one : total ? many.replace("#", total) : back.hidden ? "" : discarded;
    showMessage(count);
    return total;
  }

  choose(states) {
    this.controls.forEach((control, i) => writeState(control, states[i] ?? ""));
  }

  // What was chosen for changes that are gone must not apply to the next one.
  clearWithoutChanges() {
    if (this.back && !this.show()) this.choose([]);
  }

  draft(rows) {
    return { rows: draftOf(rows), states: this.controls.map(readState) };
  }

  restore({ rows, states }) {
    restore(rows);
    if (this.show()) this.choose(states);
  }

  discardAll(event) {
    const rows = this.unsaved;
    // What the server has sent back without what is stored, and its message, only a new page removes.
    if ($(".wf-summary", this.form) || !rows.every((row) => stored.has(row))) return;
    event.preventDefault();
    this.discarded = this.draft(rows);
    rows.forEach(discard);
    this.clearWithoutChanges();
    this.back.focus();
  }

  bringBack() {
    this.restore(this.discarded);
    focus(this.unsaved[0]);
  }

  // Enter in one field must not make changes elsewhere live without a question.
  asks({ submitter }) {
    const row = closest(document.activeElement, ".wf-row");
    return submitter?.matches(".wf-enter") && row && this.unsaved.some((other) => other !== row);
  }

  keyPressed(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || !["s", "Enter"].includes(event.key)) return;
    event.preventDefault();
    if (!this.bar.matches(".wf-idle")) submit(this.form, $(".wf-primary", this.bar));
  }

  // After a save: back at the row; a screen reader hears only what comes into a page that is there.
  arrive() {
    const saved = $(".wf-messages ul");
    if (!saved) return;
    const row = $(".wf-row:target", this.form);
    if (row) {
      focus(row);
      row.scrollIntoView({ block: row.offsetHeight < innerHeight / 2 ? "nearest" : "start" });
    }
    setTimeout(() => { $(".wf-live", this.form).textContent = saved.innerText; }, 500);
  }

  // What is typed, but secrets, stays with this step of the browser's history.
  keepDraft() {
    const rows = this.unsaved.filter((row) => !row.matches(".wf-is-secret"));
    history.replaceState({ ...history.state, draft: rows.length ? this.draft(rows) : undefined }, "");
  }

  start() {
    const { form } = this;
    if (!this.bar) return;
    $$(".wf-row", form).forEach(storeStates);
    const draft = history.state?.draft;
    if (draft && performance.getEntriesByType("navigation")[0]?.type === "back_forward") this.restore(draft);
    for (const type of ["input", "change"]) on(form, type, (event) => {
      this.discarded = undefined;
      this.row = closest(event.target, ".wf-row")?.id ?? this.row;
      typed(event);
      stopTrying(this.count);
      this.show();
      if (type === "change") this.clearWithoutChanges();
      // A change may come with a click elsewhere, and what is clicked must not move away.
      if (type === "input") showWhole(closest(event.target, ".wf-row"));
    });
    on(form, "keyup", ({ key, target }) => key === "Tab" && showWhole(closest(target, ".wf-row")));
    on(form, "click", copyLink);
    on(form, "click", (event) => {
      if (!clicked(event.target)) return;
      event.preventDefault();
      this.clearWithoutChanges();
    });
    on(form, "submit", (event) => {
      if (!this.asks(event)) return;
      event.preventDefault();
      setTimeout(submit, 0, form, $(".wf-review", form)); // a form that is being submitted can't be
    });
    on(form, "formdata", (event) => {
      leaveOutUntouched(event);
      if (this.row) event.formData.set("waffle.row", this.row);
    });
    on(document, "keydown", (event) => this.keyPressed(event));
    if (this.back) {
      on($(".wf-discard", form), "click", (event) => this.discardAll(event));
      on(this.back, "click", () => this.bringBack());
      on(window, "pagehide", () => this.keepDraft());
      on(window, "load", () => this.arrive());
    }
    on(window, "beforeunload", (event) => {
      if (sending.has(form) || !(closest(form, ".wf-reviewing") || this.show())) return;
      event.preventDefault();
      setTimeout(allowSending); // for a user who stays
    });
    this.show();
  }
}
