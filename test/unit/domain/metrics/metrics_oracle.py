"""Numbers that the tests of metrics compare with, by scikit-learn and NumPy; written to metrics-oracle.json beside it.

    python3 -m venv oracles && oracles/bin/pip install -r infra/tools/oracles.requirements.txt
    oracles/bin/python test/unit/domain/metrics/metrics_oracle.py

A weight is how often a row was drawn: scikit-learn gets it as sample_weight, or the row so many times over.
"""

import json
from pathlib import Path

import numpy as np
from sklearn import metrics as sk

rng = np.random.default_rng(7)


def multiclass(classes, rows, absent=()):
    labels = rng.integers(0, classes, rows)
    for one in absent:
        labels[labels == one] = (one + 1) % classes
    logits = rng.normal(size=(rows, classes)) + 1.2 * np.eye(classes)[labels]
    chances = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 2)
    chances[:, -1] = np.clip(1 - chances[:, :-1].sum(axis=1), 0, 1)
    chances = chances.astype(np.float32)
    weights = rng.multinomial(rows, np.ones(rows) / rows)
    return {
        "labels": labels.tolist(),
        "scores": chances.tolist(),
        "weights": weights.tolist(),
        "expected": classified(labels, chances, np.ones(rows, int), classes),
        "weighted": classified(labels, chances, weights, classes),
    }


def classified(labels, chances, weights, classes):
    y, p = np.repeat(labels, weights), np.repeat(chances, weights, axis=0)
    called = p.argmax(axis=1)
    areas = {}
    for one in range(classes):
        if 0 < (y == one).sum() < len(y):
            areas[one] = sk.roc_auc_score(y == one, p[:, one])
    eps = np.finfo(np.float32).eps
    clipped = np.clip(p.astype(float), eps, 1 - eps)
    found = {
        "logLoss": -np.log(clipped[np.arange(len(y)), y]).mean(),
        "brier": ((p.astype(float) - np.eye(classes)[y]) ** 2).sum(axis=1).mean(),
        "accuracy": sk.accuracy_score(y, called),
        "balancedAccuracy": sk.balanced_accuracy_score(y, called),
        "macroF1": sk.f1_score(y, called, average="macro"),
        "rocAuc": np.mean(list(areas.values())),
    }
    if len(areas) == classes and np.allclose(p.sum(axis=1), 1):
        exact = p.astype(float) / p.astype(float).sum(axis=1, keepdims=True)
        assert abs(found["rocAuc"] - sk.roc_auc_score(y, exact, multi_class="ovr", average="macro")) < 1e-3
    f1s = sk.f1_score(y, called, average=None, labels=range(classes), zero_division=0)
    for one in range(classes):
        found[f"f1:{one}"] = f1s[one] if (y == one).any() else None
        found[f"rocAuc:{one}"] = areas.get(one)
    return found


def regression(rows, quantiles):
    labels = np.round(rng.gamma(2.0, 10.0, rows), 1) + 1
    values = np.round(labels + rng.normal(0, 6, rows), 1).astype(np.float32)
    spread = np.sort(rng.normal(0, 8, (rows, len(quantiles))), axis=1)
    bands = np.round(values[:, None] + spread, 1).astype(np.float32)
    bands[:7, 0] = labels[:7]
    weights = rng.multinomial(rows, np.ones(rows) / rows)
    scores = np.column_stack([values, bands])
    return {
        "labels": labels.tolist(),
        "scores": scores.tolist(),
        "quantiles": quantiles,
        "weights": weights.tolist(),
        "expected": regressed(labels, scores, quantiles, np.ones(rows, int)),
        "weighted": regressed(labels, scores, quantiles, weights),
    }


def regressed(labels, scores, quantiles, weights):
    y, s = np.repeat(labels, weights), np.repeat(scores.astype(float), weights, axis=0)
    v = s[:, 0]
    found = {
        "mae": sk.mean_absolute_error(y, v),
        "rmse": sk.root_mean_squared_error(y, v),
        "medianAbsoluteError": sk.median_absolute_error(y, v),
        "r2": sk.r2_score(y, v),
        "mape": sk.mean_absolute_percentage_error(y, v),
        "smape": np.mean(2 * np.abs(y - v) / (np.abs(y) + np.abs(v))),
        "intervalCoverage": np.mean((s[:, 1] <= y) & (y <= s[:, -1])),
        "intervalWidth": np.mean(s[:, -1] - s[:, 1]),
    }
    each = [sk.mean_pinball_loss(y, s[:, 1 + at], alpha=q) for at, q in enumerate(quantiles)]
    found["pinball"] = np.mean(each)
    for q, loss in zip(quantiles, each):
        found[f"pinball@{q}"] = loss
    return found


def ranking(groups, ks):
    """Groups of several sizes, graded relevance, scores with many ties. Ties: the mean over shuffled orders, exact for ndcg_score."""
    rows = [
        {"group": group, "relevance": int(relevance), "score": float(np.float32(score))}
        for group in range(groups)
        for relevance, score in zip(*drawn(group))
    ]
    rng.shuffle(rows)
    expected = {}
    by_group = [[row for row in rows if row["group"] == group] for group in range(groups)]
    relevant = [g for g in by_group if any(row["relevance"] > 0 for row in g)]
    for k in ks:
        expected[f"ndcg@{k}"] = np.mean(
            [sk.ndcg_score([[r["relevance"] for r in g]], [[r["score"] for r in g]], k=k) for g in relevant]
        )
        expected[f"recallAtK@{k}"] = np.mean([over_orders(g, lambda hits: hits[:k].sum() / min(k, hits.sum())) for g in relevant])
        expected[f"mapAtK@{k}"] = np.mean([over_orders(g, lambda hits: average_precision(hits, k)) for g in relevant])
    expected["mrr"] = np.mean([over_orders(g, lambda hits: 1 / (1 + hits.argmax())) for g in relevant])
    return {"rows": rows, "ks": ks, "expected": expected}


def drawn(group):
    size = 2 + group % 6
    relevance = np.zeros(size, int) if group % 7 == 3 else rng.integers(0, 4, size) * (rng.random(size) < 0.6)
    return relevance, rng.integers(0, 4, size) / 4


def average_precision(hits, k):
    places = np.flatnonzero(hits[:k])
    return sum((at + 1) / (place + 1) for at, place in enumerate(places)) / min(k, hits.sum())


def over_orders(group, measure):
    """The mean over every order of the rows that keeps falling scores: groups are small enough to list them all."""
    from itertools import permutations, product

    scores = sorted({row["score"] for row in group}, reverse=True)
    blocks = [set(permutations([row["relevance"] > 0 for row in group if row["score"] == score])) for score in scores]
    weighted = [list(block) for block in blocks]
    return np.mean([measure(np.array(sum(order, ()), int)) for order in product(*weighted)])


plain = lambda value: None if value is None or np.isnan(value) else float(value)


def cleaned(problem):
    for part in ("expected", "weighted"):
        if part in problem:
            problem[part] = {key: plain(value) for key, value in problem[part].items()}
    return problem


problems = {
    "multiclass": cleaned(multiclass(4, 160)),
    "absentClass": cleaned(multiclass(3, 60, absent=(1,))),
    "regression": cleaned(regression(150, [0.1, 0.5, 0.9])),
    "ranking": cleaned(ranking(40, [1, 3, 10])),
}
Path(__file__).with_name("metrics-oracle.json").write_text(json.dumps(problems) + "\n")
