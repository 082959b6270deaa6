// The settings page works without this script. It filters settings, marks and counts unsaved changes, and asks before
// they are lost. Its texts come from the page.

import { Bar } from "./bar.js";
import { $, $$, on } from "./dom.js";
import { watchControls } from "./controls.js";
import { Finder, watchFilters } from "./finder.js";
import { allowSending, sendOnce, testClicked } from "./sending.js";

// The count of the processes that apply a save is asked for until all do, some seconds long.
async function countWorkers(line, tries = 9) {
  for (let status = 202; line && status === 202 && tries--;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const response = await fetch(line.dataset.count, { redirect: "manual" }).catch(() => ({}));
    status = response.status;
    if (response.ok) line.textContent = await response.text();
  }
}

on(document, "submit", sendOnce);
on(document, "click", testClicked);
on(document, "input", allowSending);
on(window, "pageshow", allowSending);
// A control shows a part of a long text only: on paper the text itself stands in its place.
on(window, "beforeprint", () => {
  for (const control of $$(".wf-value :is(textarea, [type=text])")) {
    const text = document.createElement("p");
    text.className = "wf-printed";
    text.textContent = control.value;
    control.after(text);
  }
});
on(window, "afterprint", () => $$(".wf-printed").forEach((text) => text.remove()));
countWorkers($("[data-count]"));
for (const form of $$("form[data-waffle]")) {
  watchControls(form);
  watchFilters(form);
  new Bar(form).start();
  const search = $(".wf-search input[type=search]");
  if (search && $(".wf-found", form)) new Finder(form, search).start();
}
