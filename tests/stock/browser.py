"""A headless Chromium, and methods that read the pages of TensorBoard."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import PATIENCE_SECONDS
from selenium import webdriver

# TensorBoard logs these errors when it draws a chart before its axes have a size, or with numbers that overflow.
PAGE_ERRORS = re.compile(r"attribute \S+: Expected .*(NaN|undefined|Infinity)")

# Returns all elements that match, including those in shadow roots, which the older dashboards use.
DEEP = """
function deep(root, selector) {
  const found = [...root.querySelectorAll(selector)];
  for (const element of root.querySelectorAll("*"))
    if (element.shadowRoot) found.push(...deep(element.shadowRoot, selector));
  return found;
}
"""


class Browser(webdriver.Chrome):
    """A Chromium with methods that read the pages of TensorBoard."""

    def ask(self, script: str) -> Any:
        """Runs a JavaScript function body, which may use `deep`, and returns its result."""
        return self.execute_script(DEEP + script)

    def get(self, url: str) -> None:
        """Opens a page from scratch. If only the part after `#` changes, the browser would keep the old page."""
        super().get("about:blank")
        super().get(url)

    def open_time_series(self, url: str, tags: str) -> None:
        """Opens the Time Series dashboard with the tags that match, in one group, with lines as SVG elements."""
        self.get(f"{url}/?forceSVG=true&tagFilter={tags}&smoothing=0#timeseries")

    def time_series_charts(self) -> dict[str, list[int]]:
        """The number of points of each line, by the title of its chart."""
        return self.ask("""
            const charts = deep(document, "scalar-card").map(card => [
              card.querySelector(".tag").textContent,
              [...card.querySelectorAll(".series-view > svg path")]
                .filter(line => line.style.display !== "none")
                .map(line => line.getAttribute("d").split("L").length),
            ]);
            return Object.fromEntries(charts);
        """)

    def time_series_runs(self) -> list[str]:
        """The names in the list of runs."""
        return self.ask("""
            return deep(document, "runs-data-table tb-data-table-content-row").map(row => row.innerText.trim());
        """)

    def open_scalars(self, url: str, tags: str) -> None:
        """Opens the Scalars dashboard with the tags that match, in one group."""
        self.get(f"{url}/#scalars&_smoothingWeight=0&tagFilter={tags}")

    def scalars_charts(self) -> dict[str, int]:
        """The number of lines drawn, by the title of the chart."""
        return self.ask("""
            const charts = deep(document, "tf-scalar-card").map(card => [
              deep(card.shadowRoot, "tf-card-heading")[0].tag,
              deep(card.shadowRoot, "path.line").filter(line => line.getAttribute("d")).length,
            ]);
            return Object.fromEntries(charts);
        """)

    def selected_runs(self) -> list[str]:
        """The names in the list of runs of the Scalars and the Text dashboard."""
        return self.ask("""
            const selectors = deep(document, "tf-runs-selector");
            return selectors.flatMap(each => deep(each.shadowRoot, ".item-label-container"))
              .map(label => label.innerText.trim());
        """)

    def texts(self) -> dict[str, list[list[str]]]:
        """The table that each run shows in the Text dashboard, by rows."""
        return self.ask("""
            const texts = deep(document, "tf-text-loader").map(text => [
              text.run,
              deep(text.shadowRoot, "tr").map(row => [...row.children].map(cell => cell.innerText.trim())),
            ]);
            return Object.fromEntries(texts);
        """)

    def pr_curves(self) -> dict[str, list[int]]:
        """The number of straight lines in each curve of the PR curves dashboard, by tag."""
        return self.ask("""
            const cards = deep(document, "tf-pr-curve-card").map(card => [
              card.tag,
              deep(card.shadowRoot, "path.line").map(line => (line.getAttribute("d") || "").split("L").length - 1),
            ]);
            return Object.fromEntries(cards);
        """)

    def open_custom_scalars(self, url: str) -> None:
        """Opens the Custom Scalars dashboard."""
        self.get(f"{url}/#custom_scalars&_smoothingWeight=0")

    def custom_scalars_charts(self) -> dict[str, dict[str, list[int]]]:
        """The numbers of lines and areas in each chart of the Custom Scalars dashboard, by category and title."""
        return self.ask("""
            const count = (chart, selector) =>
              deep(chart.shadowRoot, selector).filter(shape => shape.getAttribute("d")).length;
            const dashboard = deep(document, "tf-custom-scalar-dashboard").map(each => each.shadowRoot);
            const views = dashboard.flatMap(each => deep(each, "tf-category-paginated-view"));
            const categories = views.map(category => [
              category.category.name,
              Object.fromEntries(
                deep(category, "tf-custom-scalar-multi-line-chart-card, tf-custom-scalar-margin-chart-card")
                  .map(chart => [
                    deep(chart.shadowRoot, ".heading-label")[0].innerText.trim(),
                    [count(chart, "path.line"), count(chart, "path.area")],
                  ])),
            ]);
            return Object.fromEntries(categories);
        """)

    def images(self, run: str) -> dict[str, list[int] | None]:
        """The size of each image of a run on the Images dashboard, by tag. `None` if the image is not loaded yet."""
        return self.ask(f"const run = {json.dumps(run)};" + """
            const loaders = deep(document, "tf-image-loader").filter(loader => loader.run === run);
            return Object.fromEntries(loaders.map(loader => {
              const image = deep(loader.shadowRoot, "img")[0];
              return [loader.tag, image && image.complete ? [image.naturalWidth, image.naturalHeight] : null];
            }));
        """)

    def errors(self) -> list[str]:
        """The errors in the console since the last call, without the known errors of the pages."""
        messages = [entry["message"] for entry in self.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in messages if not PAGE_ERRORS.search(message)]


@contextmanager
def browser(width: int, height: int, **settings: Any) -> Iterator[Browser]:
    """A Chromium with a new profile, and a page of this size in CSS pixels.

    `settings` are those that TensorBoard stores in the browser of a user.
    """
    driver = shutil.which("chromedriver")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert chromium, "Chromium is not installed: tests/all.sh installs it"
    assert driver, "chromedriver is not installed: tests/all.sh installs it"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (
            "headless",
            "disable-gpu",
            "enable-unsafe-swiftshader",  # WebGL without a GPU.
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            f"user-data-dir={profile}",
        ):
            options.add_argument(f"--{flag}")
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Without it, Chromium does not start for root.
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        chrome = Browser(options, webdriver.ChromeService(driver))
        try:
            chrome.set_page_load_timeout(PATIENCE_SECONDS)
            chrome.set_script_timeout(PATIENCE_SECONDS)
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            chrome.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
            stored = json.dumps({key: json.dumps(value) for key, value in settings.items()})
            keep = f"if (location.protocol !== 'about:') Object.assign(localStorage, {stored})"
            chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": keep})
            yield chrome
        finally:
            chrome.quit()
