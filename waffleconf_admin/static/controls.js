// Controls: the state of each can be read, written and displayed; what stands beside one follows it.

import { $, $$, closest, on } from "./dom.js";

export function controlsOf(row) {
  return $$("input[name]:not([type=hidden]), select, textarea", row.lastElementChild);
}

export const statesOf = (row) => controlsOf(row).map((control) => [control, readState(control)]);

export function readState(control) {
  if (control.matches("[type=checkbox], [type=radio]")) return control.checked;
  return control.multiple ? [...control.options].map((option) => option.selected) : control.value;
}

export function writeState(control, state) {
  if (typeof state === "boolean") control.checked = state;
  else if (control.multiple) [...control.options].forEach((option, i) => { option.selected = state[i]; });
  else control.value = state;
  updateBeside(control);
}

// The state of a control with the text of a value.
export function stateOfText(control, text) {
  if (control.type === "radio") return control.value === text;
  if (control.type !== "checkbox") return text;
  return closest(control, ".wf-choices, [role=group]") ? text.split("\n").includes(control.value) : text === "true";
}

function updateBeside(control) {
  const beside = control.nextElementSibling;
  if (control.type === "range") beside.value = control.value.replace(".", beside.dataset.point ?? ".");
  else if (beside?.type === "color") {
    const [, hex] = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(control.value.trim()) ?? [];
    beside.classList.toggle("wf-none", !hex);
    if (hex) beside.value = `#${hex.length === 3 ? hex.replace(/./g, "$&$&") : hex}`;
  } else if (beside?.matches(".wf-blanks")) {
    beside.textContent = control.value.trim() === control.value ? "" : beside.dataset.text;
  }
}

function typed({ target }) {
  target.setCustomValidity("");
  if (target.type === "color") target.previousElementSibling.value = target.value;
  updateBeside(target.type === "color" ? target.previousElementSibling : target);
}

// Of a date that is half written a browser sends nothing, as if it were empty.
function refuseHalf(event) {
  const half = $$("input", this).find((control) => control.validity.badInput);
  if (!half) return;
  event.preventDefault();
  half.setCustomValidity(this.dataset.half);
  half.reportValidity();
}

export function watchControls(form) {
  for (const control of $$("[type=color]", form)) control.disabled = false;
  on(form, "input", typed);
  on(form, "submit", refuseHalf);
}

function displayText([control, state]) {
  if (control.type === "password" || control.type === "hidden") return "";
  if (control.matches("[role=switch]")) return control.parentElement.dataset[state ? "on" : "off"];
  if (typeof state === "boolean") return state ? control.parentElement.textContent : "";
  if (!control.options) return state;
  return [...control.options].filter((option, i) => control.multiple ? state[i] : option.value === state)
    .map((option) => option.text).join(", ");
}

export const displayTexts = (states) => states.map(displayText).map((text) => text.replace(/\s+/g, " ").trim()).filter(Boolean).join(", ");

export function focus(row) {
  const controls = controlsOf(row);
  const chosen = controls.find((control) => control.type !== "radio" || control.checked) ?? controls[0];
  ($("details:not([open]) > summary", row) ?? chosen)?.focus();
}
