"""Fits all that a task needs: once on every training row, and where it is asked for once a fold on the rest of them."""

from collections.abc import Callable
from types import ModuleType

import numpy as np

from .dataset import Dataset
from .errors import TrainerError
from .fitted import Fitted
from .goals import Goal
from .spec import Spec
from .tasks import CLASSIFIERS, goals_of, together

Report = Callable[[float, str], None]


def fit_task(algorithm: ModuleType, data: Dataset, parameters: dict, spec: Spec, report: Report) -> list[Fitted]:
    """One model a goal, in their order."""
    goals = goals_of(spec.task, data.classes, spec.quantiles)
    return [algorithm.fit(data, goal, parameters, spec, _part(report, place, len(goals), goal.title)) for place, goal in enumerate(goals)]


def predict(models: list[Fitted], matrix: np.ndarray, spec: Spec) -> np.ndarray:
    """Native answers, float64 [N, width]."""
    return together(spec.task, [model.predict(matrix) for model in models])


def gains_of(models: list[Fitted]) -> np.ndarray:
    """Each feature's part in all models, each of which counts the same."""
    if len(models) == 1:
        return models[0].gains
    shares = [model.gains / model.gains.sum() for model in models if model.gains.sum() > 0]
    return sum(shares) if shares else models[0].gains


def predict_out_of_fold(algorithm: ModuleType, data: Dataset, parameters: dict, spec: Spec, report: Report) -> np.ndarray:
    """Answers for each training row by a model of the other folds, in the order of the rows."""
    folds = spec.out_of_fold.folds
    fold_of = assign_folds(data, spec)
    answers = None
    for fold in range(folds):
        inside = np.flatnonzero(fold_of == fold)
        if len(inside) == 0:
            continue
        rest = data.of_rows(np.flatnonzero(fold_of != fold))
        models = fit_task(algorithm, rest, parameters, spec, _part(report, fold, folds, f"fold {fold + 1} of {folds}: "))
        own = predict(models, data.train[inside], spec)
        answers = np.empty((len(fold_of), own.shape[1])) if answers is None else answers
        answers[inside] = own
    return answers


def assign_folds(data: Dataset, spec: Spec) -> np.ndarray:
    """The fold of each training row, by chance but for the seed: as many of each class in every fold, groups whole."""
    folds = spec.out_of_fold.folds
    chance = np.random.default_rng(spec.out_of_fold.seed)
    if data.train_groups is not None:
        numbers = data.train_groups
        return (chance.permutation(numbers.max() + 1) % folds)[numbers]
    fold_of = np.empty(len(data.train_labels), dtype=np.int64)
    for label in np.unique(data.train_labels) if spec.task in CLASSIFIERS else [None]:
        rows = np.arange(len(fold_of)) if label is None else np.flatnonzero(data.train_labels == label)
        if label is not None and len(rows) < 2:
            raise TrainerError(
                "one-class",
                f"Only one training row has the label {spec.label_name} = {data.classes[label]}: a threshold cannot be chosen on rows that the "
                "model has not seen. Widen the window, or give evaluation.threshold as a number.",
            )
        fold_of[chance.permutation(rows)] = np.arange(len(rows)) % folds
    return fold_of


def _part(report: Report, place: int, of: int, title: str) -> Report:
    return lambda fraction, message: report((place + fraction) / of, f"{title}{message}")
