"""XGBoost: gradient-boosted trees by histograms."""

import json
import math
from dataclasses import replace

import numpy as np
import xgboost

from ..dataset import Dataset
from ..errors import TrainerError
from ..fitted import Fitted, both_classes, one_column, report_rounds
from ..goals import CLASSES, QUANTILE, RANK, Goal
from ..graph import add_ensemble
from ..parameters import Parameter, for_task
from .ranking import TrainingRows, relevance_of, rows_of
from ..spec import Spec
from ..trees import Ensemble, Tree

LIBRARIES = ("xgboost",)

# XGBoost's own names.
PARAMETERS = {
    "num_boost_round": Parameter(200, 1, 10_000),
    "learning_rate": Parameter(0.1, 1e-6, 1.0),
    "max_depth": Parameter(6, 0, 64),
    "max_leaves": Parameter(0, 0, 4096),
    "grow_policy": Parameter("depthwise", choices=("depthwise", "lossguide")),
    "min_child_weight": Parameter(1.0, 0, 1e6),
    "max_bin": Parameter(256, 2, 65_535),
    "subsample": Parameter(1.0, 0.01, 1.0),
    "colsample_bytree": Parameter(1.0, 0.01, 1.0),
    "gamma": Parameter(0.0, 0, 1e6),
    "reg_alpha": Parameter(0.0, 0, 1e6),
    "reg_lambda": Parameter(1.0, 0, 1e6),
    "max_delta_step": Parameter(0.0, 0, 1e6),
    "scale_pos_weight": Parameter(1.0, 1e-6, 1e6),
}


def parameters_for(given: dict, task: str) -> dict[str, Parameter]:
    return for_task(PARAMETERS, task)


class _Rounds(xgboost.callback.TrainingCallback):
    def __init__(self, report, rounds: int):
        super().__init__()
        self._report = report
        self._rounds = rounds

    def after_iteration(self, model, epoch: int, evals_log) -> bool:
        report_rounds(self._report, epoch + 1, self._rounds)
        return False


def fit(data: Dataset, goal: Goal, parameters: dict, spec: Spec, report) -> Fitted:
    settings = dict(parameters)
    rounds = settings.pop("num_boost_round")
    rows, of_goal = _training_rows(data, goal)
    settings |= {**of_goal, "tree_method": "hist", "seed": spec.seed, "nthread": spec.threads, "verbosity": 1}
    if goal.classes > 2:
        del settings["scale_pos_weight"]
    names = [f"{place}/{name}" for place, name in enumerate(data.encoding.columns)]
    train = xgboost.DMatrix(rows.matrix, rows.labels, feature_names=names, nthread=spec.threads)
    if rows.group_sizes is not None:
        train.set_group(rows.group_sizes)
    booster = xgboost.train(settings, train, num_boost_round=rounds, callbacks=[_Rounds(report, rounds)])
    ensemble = _ensemble(booster, goal)

    def predict(matrix: np.ndarray) -> np.ndarray:
        asked = xgboost.DMatrix(matrix, feature_names=names, nthread=spec.threads)
        if not goal.says_chances:
            return one_column(_sums_of_leaves(booster, asked, ensemble))
        answer = booster.predict(asked)
        return both_classes(answer) if goal.classes == 2 else answer.astype(np.float64)

    gains = booster.get_score(importance_type="total_gain")
    return Fitted(
        predict=predict,
        add_to_graph=lambda graph, matrix: add_ensemble(graph, matrix, ensemble),
        gains=np.array([gains.get(name, 0.0) for name in names]),
    )


def _training_rows(data: Dataset, goal: Goal) -> tuple[TrainingRows, dict]:
    """What is fitted, and the settings that say what for."""
    rows = rows_of(data)
    if goal.kind == CLASSES:
        return rows, {"objective": "binary:logistic"} if goal.classes == 2 else {"objective": "multi:softprob", "num_class": goal.classes}
    if goal.kind == RANK:
        relevance = relevance_of(rows.labels)
        return replace(rows, labels=relevance.values), {"objective": "rank:ndcg", "ndcg_exp_gain": relevance.doubling}
    if goal.kind == QUANTILE:
        return rows, {"objective": "reg:quantileerror", "quantile_alpha": goal.quantile}
    return rows, {"objective": "reg:squarederror"}


def _sums_of_leaves(booster: xgboost.Booster, rows: xgboost.DMatrix, ensemble: Ensemble) -> np.ndarray:
    """Native answers, with the leaves that the library names added up as doubles: its own float32 sum loses the last digits of
    a number near zero. Raises TrainerError `parity` where the two differ by more than that."""
    leaves = booster.predict(rows, pred_leaf=True).astype(np.int64).reshape(rows.num_row(), -1)
    sums = np.full(rows.num_row(), ensemble.base_scores[0], np.float64)
    sizes = np.abs(sums)
    for tree, places in zip(ensemble.trees, leaves.T, strict=True):
        added = tree.value[places].astype(np.float64)
        sums += added
        sizes += np.abs(added)
    lost = np.abs(sums - booster.predict(rows, output_margin=True))
    if not (lost <= 1e-6 * np.maximum(1, sizes) * max(1, len(ensemble.trees)) ** 0.5).all():
        raise TrainerError("parity", "XGBoost's answers are not the sums of the leaves that it names. This is a fault of the trainer.")
    return sums


def _ensemble(booster: xgboost.Booster, goal: Goal) -> Ensemble:
    learner = json.loads(booster.save_raw("json"))["learner"]
    body = learner["gradient_booster"]["model"]
    trees = [_tree(one, target) for one, target in zip(body["trees"], body["tree_info"], strict=True)]
    base = json.loads(learner["learner_model_param"]["base_score"])
    scores = base if isinstance(base, list) else [base]
    if goal.classes == 2:
        # The base score is a probability, and the leaves add to its logit.
        scores = [math.log(scores[0] / (1 - scores[0]))]
    elif len(scores) == 1 and goal.classes:
        scores = scores * goal.classes
    return Ensemble(trees, "BRANCH_LT", scores, exact=not goal.says_chances)


def _tree(raw: dict, target: int) -> Tree:
    # One array holds thresholds of splits and answers of leaves. Both are float32 already: nothing to snap.
    conditions = np.array(raw["split_conditions"], dtype=np.float32)
    return Tree(
        feature=np.array(raw["split_indices"]),
        threshold=conditions,
        left=np.array(raw["left_children"]),
        right=np.array(raw["right_children"]),
        missing_goes_left=np.array(raw["default_left"]),
        value=conditions,
        target=target,
    )
