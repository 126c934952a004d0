"""A headless Chromium over its DevTools pipe: pages, forms, keys, and a virtual authenticator."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

BROWSER = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "about:blank",
)
PATIENCE_S = 30.0


class Chromium:
    """One browser with one page; `run` evaluates an expression there."""

    def __init__(self, folder: Path) -> None:
        assert BROWSER is not None
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        os.set_inheritable(to_read, True)
        os.set_inheritable(to_write, True)
        command = f'exec 3<&{to_read} 4>&{to_write}; exec "$0" "$@"'
        profile = f"--user-data-dir={folder / 'profile'}"
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", command, BROWSER, profile, *_FLAGS],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._number = 0
        self._events: deque[dict[str, Any]] = deque(maxlen=500)
        targets = self._call("Target.getTargets", {}, "")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        attached = self._call("Target.attachToTarget", {"targetId": page, "flatten": True}, "")
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        with suppress(Exception):
            self._call("Browser.close", {}, "")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        return self._call(method, given, self._session)

    def _call(self, method: str, given: dict[str, Any], session: str) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": given}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer.get("result", {})
            self._events.append(answer)
        raise AssertionError(f"no answer to {method}")

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            octets = os.read(self._from, 65536)
            assert octets, "the browser is gone"
            self._buffer += octets
        one, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(one)

    def run(self, expression: str) -> Any:
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """What `expression` gives once it gives something; the page may change meanwhile."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            with suppress(AssertionError):
                found = self.run(expression)
                if found:
                    return found
            time.sleep(0.05)
        where = self.run("location.href + ' ' + document.body.innerText.slice(0, 600)")
        raise AssertionError(f"never: {expression} at {where}")

    def go(self, url: str) -> None:
        self.run("window.stays = true")
        self.call("Page.navigate", url=url)
        self.until("!window.stays && document.readyState === 'complete'")

    def submit(self, script: str) -> None:
        """Run `script`, which leads to another page, and wait for that."""
        self.run(f"window.stays = true; {script}; 1")
        self.until("!window.stays && document.readyState === 'complete'")

    def press(self, key: str) -> None:
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **text,
            )

    def look(self, *, width: int, dark: bool) -> None:
        """From now on a window of `width`, light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, file: Path) -> None:
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def authenticator(self) -> str:
        """A platform authenticator that verifies whoever is asked; gives its id."""
        self.call("WebAuthn.enable", enableUI=False)
        options = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        return self.call("WebAuthn.addVirtualAuthenticator", options=options)["authenticatorId"]

    def complaints(self) -> list[str]:
        """What the browser refused or failed at, as its log says."""
        self.run("1")
        return [
            one["params"]["entry"]["text"]
            for one in self._events
            if one.get("method") == "Log.entryAdded"
            and one["params"]["entry"]["source"] in {"security", "javascript", "violation"}
        ] + [
            one["params"]["exceptionDetails"]["text"]
            for one in self._events
            if one.get("method") == "Runtime.exceptionThrown"
        ]
