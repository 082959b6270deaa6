// Controls: the state of each can be read, written and displayed; what stands beside one follows it.

import { $, $$, closest, on } from "./dom.js";

export function controlsOf(row) {
  return $$("input[name]:not([type=hidden]), select, textarea", row.lastElementChild);
}

export const statesOf = (row) => controlsOf(row).map((control) => [control, readState(control)]);

export function readState(control) {
  if (control.matches("[type=checkbox], [type=radio]")) return control.checked;
  if (control.type === "range") return stateOfText(control, control.value);
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
  if (control.type === "range") return String(+text); // browsers write -0.0 as 0
  if (control.type !== "checkbox") return text;
  return closest(control, ".wf-choices, [role=group]") ? text.split("\n").includes(control.value) : text === "true";
}

function updateBeside({ value, type, nextElementSibling: beside }) {
  if (type === "range") beside.value = value.replace(".", beside.dataset.point ?? ".");
  if (beside?.matches(".wf-blanks")) beside.textContent = value.trim() === value ? "" : beside.dataset.text;
  if (beside?.type !== "color") return;
  const isColor = /^#([\da-f]{3}){1,2}$/i.test(value);
  beside.classList.toggle("wf-blank", !isColor);
  if (isColor) beside.value = value.replace(/^#(.)(.)(.)$/, "#$1$1$2$2$3$3");
}

function typedIn({ target }) {
  target.setCustomValidity("");
  if (target.type === "color") target.previousElementSibling.value = target.value;
  updateBeside(target.type === "color" ? target.previousElementSibling : target);
}

// A browser sends nothing of a date that is half written.
function refuseHalf(event) {
  const half = $$("input", this).find((control) => control.validity.badInput);
  if (!half) return;
  event.preventDefault();
  half.setCustomValidity(this.dataset.half);
  half.reportValidity();
}

function secretOpened({ target }) {
  const details = closest(target, ".wf-replace > summary")?.parentElement;
  if (details && !details.open) setTimeout(() => $("input, textarea", details).focus());
}

export function watchControls(form) {
  for (const control of $$("[type=color]", form)) control.disabled = false;
  on(form, "input", typedIn);
  on(form, "submit", refuseHalf);
  on(form, "click", secretOpened);
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
  const controls = controlsOf(row).filter((control) => !closest(control, "[hidden]")); // by the filter of many boxes
  const chosen = controls.find((control) => control.type !== "radio" || control.checked) ?? controls[0] ?? $("[type=search]", row);
  ($("details:not([open]) > summary", row) ?? chosen)?.focus();
}
