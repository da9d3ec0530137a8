"""What can go wrong for a reason that whoever asked for the training can act on."""


class TrainerError(Exception):
    """Ends the program with an `error` line: `code` for machines, a message that names the field and the remedy."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


def as_trainer_error(error: BaseException) -> TrainerError:
    """Gives every failure a code. Native libraries report an exhausted memory as errors of their own kind, with the reason in the text."""
    if isinstance(error, TrainerError):
        return error
    text = str(error)
    exhausted = ("bad_alloc", "bad allocation", "cannot allocate memory", "out of memory", "insufficient memory", "can't start new thread")
    if isinstance(error, MemoryError) or any(sign in text.lower() for sign in exhausted):
        return TrainerError("out-of-memory", "Training needs more memory than memoryMb allows. Raise memoryMb or shorten the training window.")
    return TrainerError("internal", f"{type(error).__name__}: {text[:500]}. The log on stderr has the traceback.")
