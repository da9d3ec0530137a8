"""What the native model scores on labelled rows, in the trainer's own arithmetic. The product's evaluation does not rely on it."""

import math

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from .errors import TrainerError


def score(labels: np.ndarray, probabilities: np.ndarray, rows: str) -> dict:
    """Log loss and ROC AUC (one against the rest, averaged, beyond two classes; None where a class has no row).

    Raises TrainerError `metric-not-finite`: a model that diverged must not be handed on.
    """
    classes = probabilities.shape[1]
    if not np.isfinite(probabilities).all():
        raise TrainerError("metric-not-finite", f"Predictions on the {rows} are not finite: training diverged. Lower learning_rate.")
    metrics = {"logLoss": float(log_loss(labels, probabilities, labels=np.arange(classes))), "rocAuc": None}
    if len(np.unique(labels)) == classes:
        given = probabilities[:, 1] if classes == 2 else probabilities
        metrics["rocAuc"] = float(roc_auc_score(labels, given, multi_class="ovr"))
    for name, value in metrics.items():
        if value is not None and not math.isfinite(value):
            raise TrainerError("metric-not-finite", f"{name} on the {rows} is {value}: training diverged. Lower learning_rate.")
    return metrics
