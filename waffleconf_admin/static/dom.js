// Elements of the page.

// A control hides the property of its form that has its name: `form.closest` may be a setting.
const { prototype } = Element;
export const $$ = (selector, root = document.body) => [...prototype.querySelectorAll.call(root, selector)];
export const $ = (selector, root) => $$(selector, root)[0];
export const closest = (element, selector) => prototype.closest.call(element, selector);
export const on = (target, type, listener) => prototype.addEventListener.call(target, type, listener);
export const partOfForm = (row, selector) => $(selector, closest(row, "form"));
