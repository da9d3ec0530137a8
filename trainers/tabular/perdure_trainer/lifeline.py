"""Ends this program when whoever started it is gone, a parent killed with -9 included: the parent holds the other end of stdin open."""

import os
import threading

ORPHANED_EXIT_CODE = 75


def watch_parent() -> None:
    def wait_for_end_of_input() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        # Nobody is left to read a message, and the main thread may be deep inside native code: leave at once.
        os._exit(ORPHANED_EXIT_CODE)

    threading.Thread(target=wait_for_end_of_input, daemon=True).start()
