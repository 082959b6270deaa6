// Sending: a form is sent once. A save is sent by the script, so that the page stays if it does not arrive.

import { $, $$, closest, on } from "./dom.js";

export const sending = new Set();
const natively = new WeakSet(); // forms that the browser sends
let timer, retry;
let blocked = false; // by a policy of the app's own

const { getAttribute, setAttribute } = Element.prototype; // a control may be named so
const ownPage = () => location.pathname + location.search; // the finder changes it
export const allowSending = () => sending.clear();
export const submit = (form, button) => HTMLFormElement.prototype.requestSubmit.call(form, button);

// No event says that a request was stopped: after a while a form may be sent again.
export function startSending(form) {
  sending.add(form);
  clearTimeout(timer);
  timer = setTimeout(allowSending, 5000);
}

export function sendOnce(event) {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !closest(form, ".waffle form[method=post]")) return;
  if (sending.has(form)) return event.preventDefault();
  clearTimeout(retry);
  startSending(form);
  const isWaffle = closest(form, "[data-waffle]");
  if (isWaffle || closest(form, ".wf-messages")) {
    const [path] = getAttribute.call(form, "action").split("?");
    setAttribute.call(form, "action", (path || location.pathname) + location.search);
  }
  const saves = isWaffle && (!submitter || submitter.matches(":not([name]), [value=confirm]"));
  if (!saves || blocked || natively.delete(form)) return;
  event.preventDefault();
  send(form, submitter);
}

// The message of the bar: what is not saved, and why; the latter stays until the form is sent again.
export function showMessage(message) {
  message.textContent = [message.dataset.counted, message.dataset.failure].filter(Boolean).join(". ");
}

function fail(message, text) {
  message.dataset.failure = text;
  showMessage(message);
}

export function clearFailure(message) {
  delete message.dataset.failure;
  $(".wf-log-in", message.parentElement)?.remove();
}

// The page without script has a link to the log-in, which the bar gets too.
function offerLogIn(message, page) {
  const link = new DOMParser().parseFromString(page, "text/html").querySelector(".wf-log-in");
  if (link && !$(".wf-log-in")) message.after(document.adoptNode(link));
}

// What is being typed is not ready to be saved.
export function stopTrying(message) {
  clearTimeout(retry);
  if (retry) fail(message, message.dataset.unreached);
  retry = 0;
}

async function send(form, submitter, isRenewed = false) {
  const message = $(".wf-unsaved-count", form);
  clearFailure(message);
  retry = 0;
  const response = await fetch(ownPage(), {
    method: "POST",
    body: new URLSearchParams(new FormData(form, submitter)),
    headers: { "X-Waffle-Fetch": "1" },
    redirect: "manual",
    signal: AbortSignal.timeout(30000),
  }).catch(() => new Promise((resolve) => setTimeout(resolve, 100))); // the violation of a policy comes after it
  const status = response?.status ?? 500, token = response?.headers.get("X-Waffle-Token");
  if (status === 204) {
    sending.add(form);
    history.replaceState(null, "", response.headers.get("Location"));
    return location.reload();
  }
  if (token && !isRenewed) { // that of the page is from before a log-in
    for (const [name, value] of new URLSearchParams(token)) $(`[name="${name}"]`, form).value = value;
    return send(form, submitter, true);
  }
  allowSending();
  const loggedOut = response?.type === "opaqueredirect" || status === 401 || status === 403;
  if (!blocked && loggedOut) {
    fail(message, message.dataset.loggedOut);
    offerLogIn(message, await response.text());
  } else if (!blocked && status >= 500) {
    fail(message, message.dataset.offline);
    retry = setTimeout(submit, 5000, form, submitter);
  } else { // a review, or what is wrong: the browser gets that page, and nothing was saved before it
    natively.add(form);
    submit(form, submitter);
  }
}

on(document, "securitypolicyviolation", ({ effectiveDirective }) => { blocked ||= effectiveDirective === "connect-src"; });

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
