"""The lines on stdout: one JSON object each, nothing else."""

import json
import os
import sys
import threading
import time

_HEARTBEAT_SECONDS = 0.8
_THROTTLE_SECONDS = 0.2


class Progress:
    """Writes progress lines, at least one in a second whatever the main thread is doing, so that a silent trainer is a stuck one."""

    def __init__(self):
        # Libraries print to stdout as they please, from C too: they get stderr, and the real stdout stays with these lines.
        sys.stdout.flush()
        self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self._current = {"kind": "progress", "phase": "load", "fraction": 0.0, "message": "starting"}
        self._written_at = 0.0
        self._closed = False
        threading.Thread(target=self._beat, daemon=True).start()

    def report(self, phase: str, fraction: float, message: str) -> None:
        """`fraction` of the phase done, 0 to 1."""
        with self._lock:
            new_phase = self._current["phase"] != phase
            self._current = {"kind": "progress", "phase": phase, "fraction": round(min(max(fraction, 0.0), 1.0), 4), "message": message}
            if new_phase or fraction >= 1 or time.monotonic() - self._written_at > _THROTTLE_SECONDS:
                self._write(self._current)

    def done(self) -> None:
        self._end({"kind": "done"})

    def failed(self, code: str, message: str) -> None:
        self._end({"kind": "error", "code": code, "message": message})

    def _end(self, line: dict) -> None:
        with self._lock:
            self._closed = True
            self._write(line)

    def _write(self, line: dict) -> None:
        self._stream.write(json.dumps(line, allow_nan=False) + "\n")
        self._stream.flush()
        self._written_at = time.monotonic()

    def _beat(self) -> None:
        while not self._closed:
            time.sleep(0.1)
            with self._lock:
                if not self._closed and time.monotonic() - self._written_at > _HEARTBEAT_SECONDS:
                    self._write(self._current)
