"""Yours to change: the model. It may be any scikit-learn estimator that skl2onnx converts."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def make_model(task, numbers, texts, parameters, seed, length):
    """The estimator, not yet fitted.

    `numbers` and `texts` are names of features, `parameters` what the definition says under `training.parameters`, `length` how many
    numbers an embedding has. Missing numbers are medians by now, missing texts are ''.
    """
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), numbers),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32), texts),
        ]
    )
    if task == "embedding":
        return make_pipeline(columns, PCA(n_components=length, random_state=seed))
    if task in ("binary", "multiclass"):
        return make_pipeline(columns, LogisticRegression(C=parameters.get("C", 1.0), max_iter=2000, random_state=seed))
    # A ranking needs an order only: the expected relevance gives one.
    return make_pipeline(columns, Ridge(alpha=parameters.get("alpha", 1.0), random_state=seed))
