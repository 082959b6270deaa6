// Unsaved changes: they are marked and counted, can be discarded, and are not lost without a question.

import { controlsOf, displayTexts, focus, readState, stateOfText, statesOf, writeState } from "./controls.js";
import { $, $$, closest, on, partOfForm } from "./dom.js";
import { copyLink, searchTexts } from "./finder.js";
import { allowSending, leaveOutUntouched, sending, startSending } from "./sending.js";

const stored = new WeakMap(); // by row: each control with its stored state

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

// The bar must not cover the status of the row in use.
function showWhole(row) {
  if (row?.offsetHeight < innerHeight / 2) row.scrollIntoView({ block: "nearest" });
}

function showCount(form) {
  const total = $$(".wf-row.wf-unsaved", form).length;
  const count = $(".wf-unsaved-count", form);
  if (!count) return total;
  const bar = closest(count, ".wf-bar");
  bar.classList.toggle("wf-idle", total === 0);
  count.textContent = !total ? "" : total === 1 ? count.dataset.one : count.dataset.many.replace("#", total);
  return total;
}

function changed({ type, target }) {
  const row = closest(target, ".wf-row");
  // Who types into “mine” wants it.
  const mine = type === "input" && closest(target, ".wf-mine");
  if (mine) $("input", mine.previousElementSibling).checked = true;
  if (stored.has(row)) mark(row);
  showCount(this);
  showWhole(row);
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

export function watchChanges(form) {
  // Of what the server sent back only a new page has the stored values: the link is followed.
  const sentBack = $$(".wf-row.wf-unsaved", form).length;
  $$(".wf-row", form).forEach(storeStates);
  on(form, "input", changed);
  on(form, "change", changed);
  on(form, "click", clicked);
  on(form, "keyup", ({ key, target }) => key === "Tab" && showWhole(closest(target, ".wf-row")));
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
