"""scikit-learn's LogisticRegression: standardised numbers with a column that says missing, one column a string level."""

from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ..dataset import Dataset
from ..errors import TrainerError
from ..fitted import Fitted
from ..goals import Goal
from .linear_design import Design
from ..parameters import Parameter
from ..spec import Spec

PARAMETERS = {
    "C": Parameter(1.0, 1e-6, 1e6),
    "max_iter": Parameter(1000, 1, 100_000),
}


def fit(data: Dataset, goal: Goal, parameters: dict, spec: Spec, report) -> Fitted:
    design = Design(data, spec, "logistic-regression")
    model = LogisticRegression(C=parameters["C"], max_iter=parameters["max_iter"], random_state=spec.seed)
    # How a matrix product is divided among threads changes its last digits, and with them the model's bytes.
    with threadpool_limits(1, "blas"):
        model.fit(design.apply(data.train), data.train_labels)
    report(1, f"{int(model.n_iter_.max())} iterations")
    if model.n_iter_.max() >= parameters["max_iter"]:
        raise TrainerError("not-converged", f"parameters.max_iter: {parameters['max_iter']} iterations were not enough. Raise max_iter or lower C.")
    return Fitted(
        predict=lambda matrix: model.predict_proba(design.apply(matrix)),
        add_to_graph=lambda graph, matrix: design.add_to_graph(graph, matrix, model.coef_, model.intercept_),
        gains=design.gains(model.coef_, data.train),
    )
