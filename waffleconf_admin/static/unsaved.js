// Unsaved changes: each row knows what is stored, and what is typed is marked, discarded, reset or brought back.

import { controlsOf, displayTexts, focus, readState, stateOfText, statesOf, writeState } from "./controls.js";
import { $, $$, closest, partOfForm } from "./dom.js";
import { searchTexts } from "./finder.js";

export const stored = new WeakMap(); // by row: each control with its stored state

export function storeStates(row) {
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
  else now.textContent = !text ? template.dataset.empty : row.matches(".wf-quoted") ? template.dataset.quoted.replace("#", () => text) : text;
  row.firstElementChild.append(line);
}

// What is typed now may be right.
function removeErrors(row) {
  row.classList.remove("wf-invalid");
  for (const control of $$("[aria-invalid]", row)) control.removeAttribute("aria-invalid");
  $(".wf-errors", row)?.remove();
}

function mark(row) {
  searchTexts.delete(row);
  const changed = !stored.get(row).every(([control, state]) => String(readState(control)) === String(state));
  if (changed && !$(".wf-pending", row)) addUnsavedLine(row);
  if (!changed) {
    removeErrors(row);
    $(".wf-pending", row)?.remove();
  }
  row.classList.toggle("wf-unsaved", changed);
  for (const input of $$("[name='waffle.reset'], [name='waffle.convert'], [name='waffle.secret']", row)) input.remove();
}

// It deletes the stored row; without it the default would be saved as a value.
function addReset(row) {
  const input = document.createElement("input");
  Object.assign(input, { type: "hidden", name: "waffle.reset", value: row.id });
  row.lastElementChild.append(input);
}

function write(row, states) {
  for (const [control, state] of states) writeState(control, state);
  mark(row);
}

export const discard = (row) => write(row, stored.get(row));

function reset(row, text) {
  write(row, controlsOf(row).map((control) => [control, stateOfText(control, text)]));
  addReset(row);
}

export const draftOf = (rows) => rows.map((row) => [row.id, statesOf(row).map(([, state]) => state), Boolean($("[name='waffle.reset']", row))]);

export function restore(draft) {
  for (const [id, states, isReset] of draft) {
    const row = document.getElementById(id);
    const controls = stored.get(row) ?? [];
    if (controls.length !== states.length) continue;
    write(row, controls.map(([control], i) => [control, states[i]]));
    if (isReset) addReset(row);
  }
}

export function typed({ type, target }) {
  const row = closest(target, ".wf-row");
  if (!row) return;
  // Who types into “mine” wants it.
  const mine = type === "input" && closest(target, ".wf-mine");
  if (mine) $("input", mine.previousElementSibling).checked = true;
  removeErrors(row);
  if (stored.has(row)) mark(row);
}

// Whether a click was on a button of a row or a group that the script can do without the server.
export function clicked(target) {
  const button = closest(target, ".wf-undo, .wf-reset, .wf-reset-group");
  if (!button) return false;
  const row = closest(button, ".wf-row");
  if (button.matches(".wf-undo")) {
    if (!stored.has(row)) return false;
    discard(row);
  } else {
    const buttons = row ? [button] : $$(".wf-reset", closest(button, ".wf-group"));
    if (!buttons.every((one) => one.matches("[data-default]") && stored.has(closest(one, ".wf-row")))) return false;
    for (const one of buttons) reset(closest(one, ".wf-row"), one.dataset.default);
  }
  if (row) focus(row);
  return true;
}
