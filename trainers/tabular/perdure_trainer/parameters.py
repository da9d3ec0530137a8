"""An algorithm's parameters: each module declares its own, and what it did not declare is refused."""

import math
from dataclasses import dataclass

from .errors import TrainerError
from .tasks import CLASSIFIERS


@dataclass(frozen=True)
class Parameter:
    """One parameter: its default and what it may be. `low` and `high` are included; numbers are whole where the default is an int."""

    default: int | float | str | bool
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()


def for_task(declared: dict[str, Parameter], task: str) -> dict[str, Parameter]:
    """Those that mean something for the task."""
    return declared if task in CLASSIFIERS else {name: one for name, one in declared.items() if name != "scale_pos_weight"}


def resolve(given: dict, declared: dict[str, Parameter], algorithm: str) -> dict:
    """The declared parameters with the given values. Raises TrainerError `parameter-unknown` or `parameter-invalid`, naming them."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        named = ", ".join(f"parameters.{name}" for name in unknown)
        known = ", ".join(sorted(declared))
        raise TrainerError("parameter-unknown", f"{named}: {algorithm} has no such parameter. It knows {known}.")
    for name, value in given.items():
        problem = _problem(value, declared[name])
        if problem:
            raise TrainerError("parameter-invalid", f"parameters.{name} is {value!r}; for {algorithm} it must be {problem}.")
    return {name: given.get(name, parameter.default) for name, parameter in declared.items()}


def _problem(value, parameter: Parameter) -> str | None:
    if isinstance(parameter.default, bool):
        return None if isinstance(value, bool) else "true or false"
    if isinstance(parameter.default, str):
        return None if value in parameter.choices else f"one of {', '.join(parameter.choices)}"
    whole = isinstance(parameter.default, int)
    kinds = (int,) if whole else (int, float)
    right = isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value) and parameter.low <= value <= parameter.high
    return None if right else f"a {'whole ' if whole else ''}number from {parameter.low:g} to {parameter.high:g}"
