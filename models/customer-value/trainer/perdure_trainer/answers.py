"""What a fitted estimator answers, as Perdure compares and serves it."""

import numpy as np


def answers_of(spec, model, frame, quantile_offsets):
    """Columns of holdout-native.parquet by name, one value a row."""
    task = spec["task"]
    if task in ("binary", "multiclass"):
        chances = model.predict_proba(frame).astype(np.float64)
        if task == "binary":
            return {"probability": chances[:, 1]}
        return {f"probability_{place}": chances[:, place] for place in range(chances.shape[1])}
    if task == "embedding":
        vectors = model.transform(frame).astype(np.float64)
        return {f"embedding_{place}": vectors[:, place] for place in range(vectors.shape[1])}
    values = model.predict(frame).astype(np.float64)
    if task == "ranking":
        return {"score": values}
    return {"value": values, **{f"quantile_{place}": values + offset for place, offset in enumerate(quantile_offsets)}}


def quantile_offsets_of(spec, model, frame, labels):
    """Quantiles of a regression: the value plus that quantile of what the training rows missed it by."""
    quantiles = spec.get("quantiles") or []
    if not quantiles:
        return np.zeros(0)
    return np.quantile(labels - model.predict(frame), quantiles)
