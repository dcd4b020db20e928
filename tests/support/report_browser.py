"""Opens a page in headless Chromium, runs a script in it, and returns what the script found."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if
     (found := shutil.which(name))),
    None,
)  # fmt: skip

_CATCH = """<script>window.failures = [];
window.addEventListener("error", (e) => window.failures.push(String(e.message)));
window.addEventListener("unhandledrejection", (e) => window.failures.push(String(e.reason)));
for (const name of ["error", "warn"]) {
  const old = console[name];
  console[name] = (...args) => { window.failures.push(args.join(" ")); old(...args); };
}
</script>"""

_RUN = """<script>window.addEventListener("load", async () => {
  let found;
  try { found = await (async () => { %s })(); } catch (e) { found = { thrown: String(e) }; }
  const result = document.createElement("pre");
  result.id = "result-of-test";
  result.textContent = JSON.stringify({ found, failures: window.failures });
  document.body.append(result);
});</script>"""


def in_browser(page: Path, script: str, tmp_path: Path, size: str = "1200,900") -> dict[str, Any]:
    """`script` is the body of an async function; returns {"found": ..., "failures": [...]}."""
    text = page.read_text(encoding="utf-8")
    text = text.replace("<head>", "<head>" + _CATCH, 1)
    text = text.replace("</body>", _RUN % script + "</body>", 1)
    copy = tmp_path / f"in_browser_{page.name}"
    copy.write_text(text, encoding="utf-8")
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio",
        "--autoplay-policy=no-user-gesture-required", f"--window-size={size}",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000",
        "--dump-dom", copy.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    match = re.search(r'<pre id="result-of-test">(.*?)</pre>', done.stdout, re.DOTALL)
    assert match is not None, f"no result from the browser: {done.stderr[-2000:]}"
    return json.loads(html.unescape(match.group(1)))
