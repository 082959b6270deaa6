"""What a keystroke in the page's search costs in Chromium, from the key to the next picture.

python benchmarks/filter.py [--settings 5000]
"""

from __future__ import annotations

import argparse
import shutil
import threading
from typing import Any

from playwright.sync_api import sync_playwright
from render import make_app
from werkzeug.serving import WSGIRequestHandler, make_server

TYPED = "setting 4number 12"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WATCH = """() => {
    window.times = [];
    const search = document.querySelector(".wf-search input");
    search.addEventListener("keydown", () => {
        const start = performance.now();
        // A task after the frame in which the page was laid out and painted.
        requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => times.push(performance.now() - start);
            channel.port2.postMessage(0);
        });
    });
    search.focus();
}"""


class Quiet(WSGIRequestHandler):
    def log_request(self, *args: Any) -> None:
        pass


def measure(count: int, rounds: int = 5) -> list[float]:
    """Milliseconds of each keystroke in the order typed, each the fastest of some rounds."""
    app = make_app(count)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=OPTIONS
        )
        page = chromium.new_page(viewport={"width": 1200, "height": 900})
        page.goto(f"http://127.0.0.1:{server.server_port}/admin/config")
        page.evaluate(WATCH)
        keys = [*TYPED, *["Backspace"] * len(TYPED)]
        for number, key in enumerate(keys * rounds, 1):
            page.keyboard.press(key if len(key) > 1 else ("Space" if key == " " else key))
            while page.evaluate("times.length") < number:
                pass
        times: list[float] = page.evaluate("times")
        chromium.close()
    server.shutdown()
    server.server_close()
    app.extensions["waffleconf"].stop()
    return [min(times[place :: len(keys)]) for place in range(len(keys))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=int, default=5000)
    options = parser.parse_args()
    times = measure(options.settings)
    print(f"{options.settings} settings, {len(times)} keystrokes")
    print(" ".join(f"{t:.0f}" for t in times))
    print(f"first {times[0]:.1f} ms, median {sorted(times)[len(times) // 2]:.1f} ms,", end=" ")
    print(f"longest {max(times):.1f} ms")
