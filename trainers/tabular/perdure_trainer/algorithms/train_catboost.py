"""CatBoost: symmetric trees, in which every node of a level asks the same."""

import json
import os
import tempfile

import numpy as np
from catboost import CatBoost, Pool

from ..dataset import Dataset
from ..fitted import Fitted, one_column, report_rounds
from ..goals import CLASSES, QUANTILE, RANK, Goal
from ..graph import add_ensemble
from ..parameters import Parameter, for_task
from ..spec import Spec
from ..trees import LEAF, Ensemble, Tree
from .ranking import rows_of

LIBRARIES = ("catboost",)

# CatBoost's own names.
PARAMETERS = {
    "iterations": Parameter(200, 1, 10_000),
    "learning_rate": Parameter(0.1, 1e-6, 1.0),
    "depth": Parameter(6, 1, 12),
    "l2_leaf_reg": Parameter(3.0, 0, 1e6),
    "border_count": Parameter(254, 1, 65_535),
    "random_strength": Parameter(1.0, 0, 1e6),
    "bagging_temperature": Parameter(1.0, 0, 1e6),
    "rsm": Parameter(1.0, 0.01, 1.0),
    "scale_pos_weight": Parameter(1.0, 1e-6, 1e6),
}


def parameters_for(given: dict, task: str) -> dict[str, Parameter]:
    return for_task(PARAMETERS, task)


class _Rounds:
    def __init__(self, report, rounds: int):
        self._report = report
        self._rounds = rounds

    def after_iteration(self, info) -> bool:
        report_rounds(self._report, info.iteration, self._rounds)
        return True


def fit(data: Dataset, goal: Goal, parameters: dict, spec: Spec, report) -> Fitted:
    settings = {**parameters, "loss_function": _loss_of(goal)}
    if goal.classes > 2:
        del settings["scale_pos_weight"]
    model = CatBoost(
        {**settings, "random_seed": spec.seed, "thread_count": spec.threads, "allow_writing_files": False, "logging_level": "Silent"}
    )
    rows = rows_of(data)
    groups = None if rows.group_sizes is None else np.repeat(np.arange(len(rows.group_sizes)), rows.group_sizes)
    model.fit(Pool(rows.matrix, rows.labels, group_id=groups), callbacks=[_Rounds(report, parameters["iterations"])])

    def predict(matrix: np.ndarray) -> np.ndarray:
        if goal.says_chances:
            return model.predict(matrix, prediction_type="Probability", thread_count=spec.threads)
        return one_column(model.predict(matrix, prediction_type="RawFormulaVal", thread_count=spec.threads))

    return Fitted(
        predict=predict,
        add_to_graph=lambda graph, matrix: add_ensemble(graph, matrix, _ensemble(model, exact=not goal.says_chances)),
        gains=np.asarray(model.get_feature_importance(type="PredictionValuesChange"), np.float64),
    )


def _loss_of(goal: Goal) -> str:
    if goal.kind == CLASSES:
        return "Logloss" if goal.classes == 2 else "MultiClass"
    if goal.kind == RANK:
        return "QueryRMSE"
    return f"Quantile:alpha={goal.quantile!r}" if goal.kind == QUANTILE else "RMSE"


def _ensemble(model: CatBoost, exact: bool) -> Ensemble:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.json")
        model.save_model(path, format="json")
        with open(path, encoding="utf-8") as file:
            said = json.load(file)
    scale, bias = said["scale_and_bias"]
    trees = [_tree(one, target, len(bias), scale) for one in said["oblivious_trees"] for target in range(len(bias))]
    # Right where the value is above the border: a missing one is above none.
    return Ensemble(trees, "BRANCH_LEQ", [float(one) for one in bias], exact)


def _tree(raw: dict, target: int, targets: int, scale: float) -> Tree:
    """Level by level: the node of a level is the number whose bits are the answers so far, as in the library's own order of leaves."""
    splits = raw["splits"] or []
    depth = len(splits)
    inner = 2**depth - 1
    size = inner + 2**depth
    feature, threshold, left, right = (np.zeros(size, kind) for kind in (np.int64, np.float32, np.int64, np.int64))
    left[inner:] = right[inner:] = LEAF
    for level, split in enumerate(splits):
        answers = np.arange(2**level)
        nodes = 2**level - 1 + answers
        below = 2 ** (level + 1) - 1
        feature[nodes] = split["float_feature_index"]
        threshold[nodes] = np.float32(split["border"])
        left[nodes] = below + answers
        right[nodes] = below + answers + 2**level
    value = np.zeros(size)
    value[inner:] = scale * np.array(raw["leaf_values"], np.float64).reshape(-1, targets)[:, target]
    return Tree(feature=feature, threshold=threshold, left=left, right=right, missing_goes_left=left != LEAF, value=value, target=target)
