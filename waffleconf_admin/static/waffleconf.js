// The settings page works without this script. It marks what was changed and is not saved, counts it, and asks
// before it is lost. Every word it shows comes from the page.
"use strict";

for (const form of document.querySelectorAll("form[data-waffle]")) {
  const bar = form.querySelector(".wf-bar");
  const count = form.querySelector(".wf-unsaved-count");
  const pendingLine = form.querySelector(".wf-pending-line");
  // What the server sent back unsaved counts too, but holds what was typed: there is no first state to compare with.
  const sentBack = form.querySelectorAll(".wf-row.wf-unsaved").length;
  const rows = new Map();
  let leaving = false;

  const read = (control) => {
    if (control.matches("[type=checkbox], [type=radio]")) return control.checked;
    return control.multiple ? [...control.options].map((option) => option.selected) : control.value;
  };

  const write = (control, value) => {
    if (typeof value === "boolean") control.checked = value;
    else if (control.multiple) [...control.options].forEach((option, i) => { option.selected = value[i]; });
    else control.value = value;
  };

  const same = (control, value) => String(read(control)) === String(value);

  const addLine = (row) => {
    const line = pendingLine.content.firstElementChild.cloneNode(true);
    const now = line.querySelector(".wf-now");
    if ("now" in row.dataset) now.textContent = row.dataset.now || now.dataset.empty;
    else now.parentElement.remove();
    line.querySelector(".wf-undo").addEventListener("click", () => {
      const first = rows.get(row);
      for (const [control, value] of first) write(control, value);
      first[0][0].focus();
      mark(row);
    });
    row.querySelector(".wf-what").append(line);
  };

  const mark = (row) => {
    const line = row.querySelector(".wf-pending");
    const changed = !rows.get(row).every(([control, value]) => same(control, value));
    if (changed && !line) addLine(row);
    if (!changed && line) line.remove();
    row.classList.toggle("wf-unsaved", changed);
  };

  const show = () => {
    const total = form.querySelectorAll(".wf-row.wf-unsaved").length;
    const wasIdle = bar.classList.contains("wf-idle");
    bar.classList.toggle("wf-idle", total === 0);
    // The bar may have come up over what is being changed.
    if (wasIdle && total && form.contains(document.activeElement)) document.activeElement.scrollIntoView({ block: "nearest" });
    const text = total === 1 ? count.dataset.one : count.dataset.many.replace("#", total);
    count.textContent = total ? text : "";
    return total;
  };

  for (const row of form.querySelectorAll(".wf-row:not(.wf-unsaved)")) {
    const controls = [...row.querySelectorAll("input:not([type=hidden]), select, textarea")];
    if (controls.length) rows.set(row, controls.map((control) => [control, read(control)]));
  }

  const update = (event) => {
    const row = event.target.closest(".wf-row");
    if (rows.has(row)) mark(row);
    show();
  };
  form.addEventListener("input", update);
  form.addEventListener("change", update);
  form.addEventListener("click", (event) => event.target.matches(".wf-undo") && show());

  // After an error the page itself is the typed state: then the link loads it anew.
  form.querySelector(".wf-discard").addEventListener("click", (event) => {
    if (sentBack) {
      leaving = true;
      return;
    }
    event.preventDefault();
    for (const [row, first] of rows) {
      for (const [control, value] of first) write(control, value);
      mark(row);
    }
    show();
  });

  form.addEventListener("submit", () => { leaving = true; });
  window.addEventListener("pageshow", () => { leaving = false; });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && show()) event.preventDefault();
  });

  show();
}
