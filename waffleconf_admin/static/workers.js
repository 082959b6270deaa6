// The count of the processes that apply a save is asked for until all do, some seconds long.

export async function countWorkers(line, tries = 9) {
  for (let status = 202; line && status === 202 && tries--;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const response = await fetch(line.dataset.count, { redirect: "manual" }).catch(() => ({}));
    status = response.status;
    if (response.ok) line.textContent = await response.text();
  }
}
