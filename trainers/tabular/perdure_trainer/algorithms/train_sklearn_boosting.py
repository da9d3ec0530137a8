"""scikit-learn's HistGradientBoosting on the ordinal codes. It has no ranker: a ranking is fitted to the relevance of each row by itself."""

import contextlib
import io
import re
from functools import partial

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ..dataset import Dataset
from ..fitted import Fitted, one_column, report_rounds
from ..goals import CLASSES, QUANTILE, Goal
from ..graph import add_ensemble
from ..parameters import Parameter
from ..spec import Spec
from ..trees import LEAF, Ensemble, Tree, snap_down

# scikit-learn's own names. `max_depth` 0 means no limit.
PARAMETERS = {
    "max_iter": Parameter(200, 1, 10_000),
    "learning_rate": Parameter(0.1, 1e-6, 1.0),
    "max_leaf_nodes": Parameter(31, 2, 4096),
    "max_depth": Parameter(0, 0, 64),
    "min_samples_leaf": Parameter(20, 1, 1_000_000),
    "l2_regularization": Parameter(0.0, 0, 1e6),
    "max_features": Parameter(1.0, 0.01, 1.0),
    "max_bins": Parameter(255, 2, 255),
}


class _RoundsFromOutput(io.TextIOBase):
    """The estimator has no callback, and prints "[round/rounds] ..." when told to be verbose."""

    def __init__(self, report):
        self._report = report

    def write(self, text: str) -> int:
        found = re.search(r"\[(\d+)/(\d+)\]", text)
        if found:
            report_rounds(self._report, int(found[1]), int(found[2]))
        return len(text)


def fit(data: Dataset, goal: Goal, parameters: dict, spec: Spec, report) -> Fitted:
    settings = {name: parameters[name] for name in PARAMETERS}
    settings["max_depth"] = settings["max_depth"] or None
    # Not `categorical_features`: codes used as numbers are what the graph does too.
    model = _estimator(goal)(**settings, early_stopping=False, random_state=spec.seed, verbose=1)
    with contextlib.redirect_stdout(_RoundsFromOutput(report)):
        model.fit(data.train, data.train_labels)
    return Fitted(
        predict=(lambda matrix: model.predict_proba(matrix)) if goal.says_chances else (lambda matrix: one_column(model.predict(matrix))),
        add_to_graph=lambda graph, matrix: add_ensemble(graph, matrix, _ensemble(model, exact=not goal.says_chances)),
        gains=_gains(model, data.train.shape[1]),
    )


def _estimator(goal: Goal):
    if goal.kind == CLASSES:
        return HistGradientBoostingClassifier
    if goal.kind == QUANTILE:
        return partial(HistGradientBoostingRegressor, loss="quantile", quantile=goal.quantile)
    return HistGradientBoostingRegressor


# The trees have no public form: `_predictors` is what the library's own exporters read, and the version is locked.
def _ensemble(model, exact: bool) -> Ensemble:
    trees = [_tree(predictor.nodes, target) for round_ in model._predictors for target, predictor in enumerate(round_)]
    return Ensemble(trees, "BRANCH_LEQ", np.ravel(model._baseline_prediction).tolist(), exact)


def _tree(nodes: np.ndarray, target: int) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=nodes["feature_idx"],
        threshold=snap_down(nodes["num_threshold"]),
        left=np.where(is_leaf, LEAF, nodes["left"].astype(np.int64)),
        right=np.where(is_leaf, LEAF, nodes["right"].astype(np.int64)),
        missing_goes_left=nodes["missing_go_to_left"],
        value=nodes["value"],
        target=target,
    )


def _gains(model, features: int) -> np.ndarray:
    gains = np.zeros(features)
    for round_ in model._predictors:
        for predictor in round_:
            splits = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            np.add.at(gains, splits["feature_idx"], np.maximum(splits["gain"], 0))
    return gains
