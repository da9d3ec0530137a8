"""LightGBM: gradient-boosted trees, the default."""

from dataclasses import replace

import lightgbm
import numpy as np

from ..dataset import Dataset
from ..fitted import Fitted, both_classes, one_column, report_rounds
from ..goals import CLASSES, QUANTILE, RANK, Goal
from ..graph import add_ensemble
from ..parameters import Parameter, for_task
from .ranking import TrainingRows, relevance_of, rows_of
from ..spec import Spec
from ..trees import LEAF, Ensemble, Tree, snap_down

LIBRARIES = ("lightgbm",)

# LightGBM's own names.
PARAMETERS = {
    "num_iterations": Parameter(200, 1, 10_000),
    "num_leaves": Parameter(31, 2, 4096),
    "learning_rate": Parameter(0.1, 1e-6, 1.0),
    "max_depth": Parameter(-1, -1, 64),
    "min_data_in_leaf": Parameter(20, 0, 1_000_000),
    "min_sum_hessian_in_leaf": Parameter(1e-3, 0, 1e6),
    "min_gain_to_split": Parameter(0.0, 0, 1e6),
    "max_bin": Parameter(255, 2, 65_535),
    "feature_fraction": Parameter(1.0, 0.01, 1.0),
    "bagging_fraction": Parameter(1.0, 0.01, 1.0),
    "bagging_freq": Parameter(0, 0, 1000),
    "lambda_l1": Parameter(0.0, 0, 1e6),
    "lambda_l2": Parameter(0.0, 0, 1e6),
    "path_smooth": Parameter(0.0, 0, 1e6),
    "extra_trees": Parameter(False),
    "scale_pos_weight": Parameter(1.0, 1e-6, 1e6),
}


def parameters_for(given: dict, task: str) -> dict[str, Parameter]:
    return for_task(PARAMETERS, task)


def fit(data: Dataset, goal: Goal, parameters: dict, spec: Spec, report) -> Fitted:
    settings = dict(parameters)
    rounds = settings.pop("num_iterations")
    train, of_goal = _training_rows(data, goal)
    settings |= {
        **of_goal,
        "metric": "none",
        "seed": spec.seed,
        "num_threads": spec.threads,
        # Sums of floats depend on their order: these two fix it, whatever the number of threads.
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    rows = lightgbm.Dataset(train.matrix, train.labels, group=train.group_sizes, params=settings, free_raw_data=True)
    booster = lightgbm.train(
        settings, rows, num_boost_round=rounds, callbacks=[lambda state: report_rounds(report, state.iteration + 1, rounds)]
    )

    def predict(matrix: np.ndarray) -> np.ndarray:
        answer = booster.predict(matrix, num_threads=spec.threads)
        if not goal.says_chances:
            return one_column(answer)
        return both_classes(answer) if goal.classes == 2 else answer

    return Fitted(
        predict=predict,
        add_to_graph=lambda graph, matrix: add_ensemble(graph, matrix, _ensemble(booster, exact=not goal.says_chances)),
        gains=booster.feature_importance("gain"),
    )


def _training_rows(data: Dataset, goal: Goal) -> tuple[TrainingRows, dict]:
    """What is fitted, and the settings that say what for."""
    if goal.kind == CLASSES:
        binary = goal.classes == 2
        return rows_of(data), {"objective": "binary" if binary else "multiclass", "num_class": 1 if binary else goal.classes}
    if goal.kind == RANK:
        rows = rows_of(data)
        # LightGBM knows relevance as a place in a table of gains.
        places, gains = relevance_of(rows.labels).as_places()
        return replace(rows, labels=places), {"objective": "lambdarank", "label_gain": gains.tolist()}
    return rows_of(data), {"objective": "quantile", "alpha": goal.quantile} if goal.kind == QUANTILE else {"objective": "regression"}


def _ensemble(booster: lightgbm.Booster, exact: bool) -> Ensemble:
    dump = booster.dump_model()
    per_round = dump["num_tree_per_iteration"]
    trees = [_tree(one["tree_structure"], index % per_round) for index, one in enumerate(dump["tree_info"])]
    # The average that boosting starts from is inside the first trees' leaves.
    return Ensemble(trees, "BRANCH_LEQ", [0.0] * per_round, exact)


def _tree(root: dict, target: int) -> Tree:
    nodes = [root]
    left, right = [], []
    for node in nodes:
        if "left_child" not in node:
            left.append(LEAF)
            right.append(LEAF)
            continue
        left.append(len(nodes))
        right.append(len(nodes) + 1)
        nodes += [node["left_child"], node["right_child"]]
    thresholds = snap_down(np.array([node.get("threshold", 0.0) for node in nodes], dtype=np.float64))
    return Tree(
        feature=np.array([node.get("split_feature", 0) for node in nodes]),
        threshold=thresholds,
        left=np.array(left),
        right=np.array(right),
        missing_goes_left=np.array([_missing_goes_left(node) for node in nodes]),
        value=np.array([node.get("leaf_value", 0.0) for node in nodes]),
        target=target,
    )


def _missing_goes_left(node: dict) -> bool:
    if "left_child" not in node:
        return False
    # A split whose feature was never missing in training takes a missing value for zero.
    return node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
