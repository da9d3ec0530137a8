"""Answers for training rows by models that have not seen them: what a threshold is chosen by."""

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from .answers import answers_of


def answers_out_of_fold(spec, frame, labels, fitted, offsets):
    asked = spec["outOfFold"]
    kind = StratifiedKFold if spec["task"] in ("binary", "multiclass") else KFold
    split = kind(n_splits=asked["folds"], shuffle=True, random_state=asked["seed"])
    columns = {}
    for seen, unseen in split.split(frame, labels):
        model = fitted(frame.iloc[seen], labels[seen])
        for name, values in answers_of(spec, model, frame.iloc[unseen], offsets).items():
            columns.setdefault(name, np.zeros(len(frame)))[unseen] = values
    return columns
