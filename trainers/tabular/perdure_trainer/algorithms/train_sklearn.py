"""scikit-learn: histogram gradient boosting, or a linear model of the task, by the parameter `estimator`."""

from . import train_sklearn_boosting as boosting
from . import train_sklearn_logistic as logistic
from . import train_sklearn_ridge as ridge
from ..dataset import Dataset
from ..fitted import Fitted
from ..goals import Goal
from ..parameters import Parameter
from ..spec import Spec
from ..tasks import CLASSIFIERS

LIBRARIES = ("scikit-learn",)

_ESTIMATORS = {"hist-gradient-boosting": boosting, "logistic-regression": logistic, "ridge": ridge}
_BOOSTING = "hist-gradient-boosting"


def parameters_for(given: dict, task: str) -> dict[str, Parameter]:
    estimator = Parameter(_BOOSTING, choices=(_BOOSTING, "logistic-regression" if task in CLASSIFIERS else "ridge"))
    chosen = given.get("estimator", _BOOSTING)
    return {"estimator": estimator, **_ESTIMATORS[chosen if chosen in estimator.choices else _BOOSTING].PARAMETERS}


def fit(data: Dataset, goal: Goal, parameters: dict, spec: Spec, report) -> Fitted:
    return _ESTIMATORS[parameters["estimator"]].fit(data, goal, parameters, spec, report)
