"""The contract with Perdure, see trainers/README.md there: messages on stdout, files that are whole or absent, an end when the parent ends."""

import json
import os
import sys
import threading


class Refusal(Exception):
    """Ends the training with a code for machines and a message that says what to do."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Messages:
    """One JSON object a line. Whatever libraries print goes to stderr."""

    def __init__(self):
        sys.stdout.flush()
        self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self._last = {"kind": "progress", "phase": "load", "fraction": 0, "message": "starting"}
        self._ended = threading.Event()
        threading.Thread(target=self._repeat, daemon=True).start()

    def progress(self, phase, fraction, message):
        """`phase` is load, fit, convert, verify or write; `fraction` of it is done."""
        self._last = {"kind": "progress", "phase": phase, "fraction": fraction, "message": message}
        self._write(self._last)

    def end(self, line):
        self._ended.set()
        self._write(line)

    def _write(self, line):
        with self._lock:
            self._stream.write(json.dumps(line, allow_nan=False) + "\n")
            self._stream.flush()

    def _repeat(self):
        """A silent trainer is a stuck one."""
        while not self._ended.wait(0.8):
            self._write(self._last)


def end_with_parent():
    """The parent holds stdin open as long as it lives."""

    def wait():
        while os.read(0, 4096):
            pass
        os._exit(75)

    threading.Thread(target=wait, daemon=True).start()


def write_whole(folder, name, content):
    path = os.path.join(folder, name)
    with open(f"{path}.part", "wb") as file:
        file.write(content)
    os.replace(f"{path}.part", path)
