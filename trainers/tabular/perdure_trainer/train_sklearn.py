"""scikit-learn: histogram gradient boosting, or logistic regression, by the parameter `estimator`."""

from . import train_sklearn_boosting as boosting
from . import train_sklearn_logistic as logistic
from .dataset import Dataset
from .fitted import Fitted
from .parameters import Parameter
from .spec import Spec

LIBRARIES = ("scikit-learn",)

_ESTIMATORS = {"hist-gradient-boosting": boosting, "logistic-regression": logistic}
_ESTIMATOR = Parameter("hist-gradient-boosting", choices=tuple(_ESTIMATORS))


def parameters_for(given: dict) -> dict[str, Parameter]:
    chosen = _ESTIMATORS.get(given.get("estimator", _ESTIMATOR.default), boosting)
    return {"estimator": _ESTIMATOR, **chosen.PARAMETERS}


def fit(data: Dataset, parameters: dict, spec: Spec, report) -> Fitted:
    return _ESTIMATORS[parameters["estimator"]].fit(data, parameters, spec, report)
