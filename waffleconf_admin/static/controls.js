// Controls: the state of each can be read, written and displayed.

import { $, $$, closest } from "./dom.js";

export function controlsOf(row) {
  return $$("input:not([type=hidden]), select, textarea", row.lastElementChild);
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
  updateSlider(control);
}

// The state of a control with the text of a value.
export function stateOfText(control, text) {
  if (control.type === "radio") return control.value === text;
  if (control.type !== "checkbox") return text;
  return closest(control, ".wf-choices, [role=group]") ? text.split("\n").includes(control.value) : text === "true";
}

export function updateSlider(control) {
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

export const displayTexts = (states) => states.map(displayText).map((text) => text.replace(/\s+/g, " ").trim()).filter(Boolean).join(", ");

export function focus(row) {
  const controls = controlsOf(row);
  const chosen = controls.find((control) => control.type !== "radio" || control.checked) ?? controls[0];
  ($("details:not([open]) > summary", row) ?? chosen)?.focus();
}
