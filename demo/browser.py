"""Takes pictures of pages with a headless Chromium, over its debugging pipe.

The pipe speaks the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/): JSON
messages that end with a zero byte, to the browser's descriptor 3 and from its descriptor 4.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE_SECONDS: Final = 30.0
_SHARPNESS: Final = 2

# The rectangle of the last element that a selector finds and that contains a text, in CSS pixels.
_RECTANGLE: Final = """
(() => {{
  const found = [...document.querySelectorAll({selector})]
    .filter(element => element.outerHTML.includes({containing})).at(-1);
  if (!found || document.readyState !== "complete") return null;
  const box = found.getBoundingClientRect();
  return {{x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height}};
}})()
"""


# The browser expects its pipes under these two numbers, whatever they have here.
_NUMBERED: Final = """
import fcntl, os, sys
ours = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for number, own in zip((3, 4), ours):
    os.dup2(own, number)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class NoPicture(Exception):
    """There is no browser, or the page does not show what is wanted; the message says which."""


class Browser:
    """A headless Chromium that ends with the block: `with Browser() as browser: ...`"""

    def __enter__(self) -> Self:
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if program is None:
            raise NoPicture(
                "No Chromium was found: `apt-get install chromium`, or put "
                f"{' or '.join(PROGRAMS)} on the PATH."
            )
        with ExitStack() as starting:
            self._start(program, starting)
            target = self._ask("Target.createTarget", url="about:blank")["targetId"]
            attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
            self._session: str = attached["sessionId"]
            self._closing = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()

    def picture(self, url: str, file: Path, width: int, selector: str, containing: str) -> None:
        """Save the last element that a CSS selector finds and that contains this text."""
        self._size(width, 1000)
        self._page("Page.navigate", url=url)
        box = self._rectangle(selector, containing)
        # A page that scrolls inside shows all of the element only when it is high enough.
        self._size(width, int(box["y"] + box["height"]) + 1000)
        box = self._rectangle(selector, containing)
        shot = self._page("Page.captureScreenshot", format="png", clip={**box, "scale": 1})
        file.write_bytes(base64.b64decode(shot["data"]))

    def _size(self, width: int, height: int) -> None:
        self._page(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=_SHARPNESS,
            mobile=False,
        )

    def _rectangle(self, selector: str, containing: str) -> dict[str, float]:
        wanted = {"selector": json.dumps(selector), "containing": json.dumps(containing)}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = self._page(
                "Runtime.evaluate", expression=_RECTANGLE.format(**wanted), returnByValue=True
            )
            box: dict[str, float] | None = answer["result"].get("value")
            if box:
                return box
            time.sleep(0.2)
        raise NoPicture(f"No {selector} with '{containing}' was on the page in time.")

    def _start(self, program: str, closing: ExitStack) -> None:
        profile = closing.enter_context(
            tempfile.TemporaryDirectory(prefix="slipway-", ignore_cleanup_errors=True)
        )
        to_browser, from_us = os.pipe()
        to_us, from_browser = os.pipe()
        command = [sys.executable, "-c", _NUMBERED, str(to_browser), str(from_browser), program]
        self._process = subprocess.Popen(
            [*command, f"--user-data-dir={profile}", *_options()],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        closing.callback(self._end)
        os.close(to_browser)
        os.close(from_browser)
        self._number = 0
        self._write: BinaryIO = closing.enter_context(os.fdopen(from_us, "wb", buffering=0))
        self._read: BinaryIO = closing.enter_context(os.fdopen(to_us, "rb"))

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _page(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._ask(method, self._session, **parameters)

    def _ask(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """One command, and its answer; events that come before it are of no interest."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        self._write.write(json.dumps(command).encode() + b"\0")
        while True:
            answer = json.loads(self._message())
            if answer.get("id") != self._number:
                continue
            if "error" in answer:
                raise NoPicture(f"Chromium: {method}: {answer['error']['message']}")
            result: dict[str, Any] = answer["result"]
            return result

    def _message(self) -> bytes:
        message = bytearray()
        while (byte := self._read.read(1)) not in (b"", b"\0"):
            message += byte
        if not message:
            raise NoPicture("Chromium has ended; start it by hand to see why.")
        return bytes(message)


def _options() -> list[str]:
    options = [
        "--headless=new",
        "--remote-debugging-pipe",
        "--hide-scrollbars",
        "--no-first-run",
        "--disable-gpu",
    ]
    # Its sandbox is not for root, and it sees only pages of this machine.
    return [*options, "--no-sandbox"] if os.geteuid() == 0 else options
