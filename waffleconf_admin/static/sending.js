// Sending: a form is sent once, or again after a while, for no event says that a request was stopped.

import { $$, closest } from "./dom.js";

export const sending = new Set();
let timer;
export const allowSending = () => sending.clear();

export function startSending(form) {
  sending.add(form);
  clearTimeout(timer);
  timer = setTimeout(allowSending, 5000);
}

export function sendOnce(event) {
  if (event.defaultPrevented || !closest(event.target, ".waffle form[method=post]")) return;
  if (sending.has(event.target)) event.preventDefault();
  else startSending(event.target);
}

// Long texts that nobody touched are not sent: the server keeps what is missing.
export function leaveOutUntouched({ target, formData }) {
  for (const area of $$(".wf-row:not(.wf-unsaved) textarea", target)) {
    const values = formData.getAll(area.name);
    if (values.length === 1 && values[0] === area.defaultValue) formData.delete(area.name);
  }
}

// The answer of a test comes beside its button, and the page stays as it is.
export async function testClicked(event) {
  const button = closest(event.target, ".wf-test");
  if (!button) return;
  event.preventDefault();
  const line = button.previousElementSibling;
  line.textContent = "…";
  const body = new URLSearchParams(new FormData(closest(button, "form"), button));
  const text = await fetch(location, { method: "POST", body }).then((response) => response.text()).catch(() => "");
  const answer = new DOMParser().parseFromString(text, "text/html").getElementById(line.id);
  line.className = answer?.className;
  if (line.textContent = answer?.textContent) return;
  button.classList.remove("wf-test"); // the server has something else to say
  button.click();
}
