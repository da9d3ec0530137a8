"""XGBoost: gradient-boosted trees by histograms."""

import json
import math

import numpy as np
import xgboost

from .dataset import Dataset
from .fitted import Fitted, both_classes, report_rounds
from .graph import add_ensemble
from .parameters import Parameter
from .spec import Spec
from .trees import Ensemble, Tree

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


def parameters_for(given: dict) -> dict[str, Parameter]:
    return PARAMETERS


class _Rounds(xgboost.callback.TrainingCallback):
    def __init__(self, report, rounds: int):
        super().__init__()
        self._report = report
        self._rounds = rounds

    def after_iteration(self, model, epoch: int, evals_log) -> bool:
        report_rounds(self._report, epoch + 1, self._rounds)
        return False


def fit(data: Dataset, parameters: dict, spec: Spec, report) -> Fitted:
    settings = dict(parameters)
    rounds = settings.pop("num_boost_round")
    classes = len(data.classes)
    settings |= {
        "objective": "binary:logistic" if classes == 2 else "multi:softprob",
        "tree_method": "hist",
        "seed": spec.seed,
        "nthread": spec.threads,
        "verbosity": 1,
    }
    if classes > 2:
        settings["num_class"] = classes
        del settings["scale_pos_weight"]
    names = [feature.name for feature in spec.features]
    train = xgboost.DMatrix(data.train, data.train_labels, feature_names=names, nthread=spec.threads)
    booster = xgboost.train(settings, train, num_boost_round=rounds, callbacks=[_Rounds(report, rounds)])

    def predict(matrix: np.ndarray) -> np.ndarray:
        answer = booster.predict(xgboost.DMatrix(matrix, feature_names=names, nthread=spec.threads))
        return both_classes(answer) if classes == 2 else answer.astype(np.float64)

    gains = booster.get_score(importance_type="total_gain")
    return Fitted(
        predict=predict,
        add_to_graph=lambda graph, matrix: add_ensemble(graph, matrix, _ensemble(booster, classes)),
        gains=np.array([gains.get(name, 0.0) for name in names]),
    )


def _ensemble(booster: xgboost.Booster, classes: int) -> Ensemble:
    learner = json.loads(booster.save_raw("json"))["learner"]
    body = learner["gradient_booster"]["model"]
    trees = [_tree(one, target) for one, target in zip(body["trees"], body["tree_info"], strict=True)]
    base = json.loads(learner["learner_model_param"]["base_score"])
    scores = base if isinstance(base, list) else [base]
    if classes == 2:
        # The base score is a probability, and the leaves add to its logit.
        scores = [math.log(scores[0] / (1 - scores[0]))]
    elif len(scores) == 1:
        scores = scores * classes
    return Ensemble(trees, "BRANCH_LT", scores)


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
