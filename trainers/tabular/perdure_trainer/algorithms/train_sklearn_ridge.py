"""scikit-learn's Ridge: least squares with a penalty on the columns that the linear models share."""

import numpy as np
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from ..dataset import Dataset
from ..errors import TrainerError
from ..fitted import Fitted, one_column
from ..goals import QUANTILE, Goal
from .linear_design import Design
from ..parameters import Parameter
from ..spec import Spec

PARAMETERS = {
    "alpha": Parameter(1.0, 1e-6, 1e6),
}


def fit(data: Dataset, goal: Goal, parameters: dict, spec: Spec, report) -> Fitted:
    if goal.kind == QUANTILE:
        raise TrainerError("parameter-invalid", "parameters.estimator: ridge answers no quantiles. Use hist-gradient-boosting, lightgbm or xgboost.")
    design = Design(data, spec, "ridge")
    model = Ridge(alpha=parameters["alpha"], solver="cholesky", random_state=spec.seed)
    # How a matrix product is divided among threads changes its last digits, and with them the model's bytes.
    with threadpool_limits(1, "blas"):
        model.fit(design.apply(data.train).astype(np.float64), data.train_labels)
    report(1, f"{len(model.coef_)} weights")
    weights, intercept = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    return Fitted(
        predict=lambda matrix: one_column(model.predict(design.apply(matrix).astype(np.float64))),
        add_to_graph=lambda graph, matrix: design.add_to_graph(graph, matrix, weights, intercept, exact=True),
        gains=design.gains(weights, data.train),
    )
