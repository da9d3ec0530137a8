"""What the native model scores on its training rows, in the trainer's own arithmetic. The product's evaluation does not rely on it."""

import math

import numpy as np
from sklearn.metrics import log_loss, mean_absolute_error, mean_pinball_loss, roc_auc_score, root_mean_squared_error

from .dataset import Dataset
from .errors import TrainerError
from .spec import Spec
from .tasks import CLASSIFIERS


def score(data: Dataset, answers: np.ndarray, spec: Spec) -> dict[str, float]:
    """The task's metrics on the training rows. Raises TrainerError `metric-not-finite`: a model that diverged must not be handed on."""
    if not np.isfinite(answers).all():
        raise TrainerError("metric-not-finite", "Predictions on the training rows are not finite: training diverged. Lower learning_rate.")
    labels = data.train_labels
    if spec.task in CLASSIFIERS:
        metrics = _of_classes(labels, answers)
    elif spec.task == "ranking":
        metrics = {"ndcg@10": _ndcg(labels, answers[:, 0], data.train_groups, 10)}
    else:
        metrics = {"mae": mean_absolute_error(labels, answers[:, 0]), "rmse": root_mean_squared_error(labels, answers[:, 0])}
        for place, quantile in enumerate(spec.quantiles):
            metrics[f"pinball@{quantile:g}"] = mean_pinball_loss(labels, answers[:, 1 + place], alpha=quantile)
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise TrainerError("metric-not-finite", f"{name} on the training rows is {value}: training diverged. Lower learning_rate.")
    return {name: float(value) for name, value in metrics.items()}


def _of_classes(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """ROC AUC is one class against the rest, averaged, beyond two."""
    classes = probabilities.shape[1]
    given = probabilities[:, 1] if classes == 2 else probabilities
    return {
        "logLoss": log_loss(labels, probabilities, labels=np.arange(classes)),
        "rocAuc": roc_auc_score(labels, given, multi_class="ovr"),
    }


def _ndcg(labels: np.ndarray, scores: np.ndarray, groups: np.ndarray, k: int) -> float:
    """Mean over the groups that have a relevant row; gains are the labels above the least."""
    gains = labels - labels.min()

    def discounted(order: np.ndarray) -> np.ndarray:
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        places = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
        return np.add.reduceat(np.where(places < k, gains[order] / np.log2(places + 2), 0), starts)

    best = discounted(np.lexsort((-gains, groups)))
    own = discounted(np.lexsort((-scores, groups)))
    return float((own[best > 0] / best[best > 0]).mean())
