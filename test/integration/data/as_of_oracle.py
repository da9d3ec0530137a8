"""
What pandas says of as-of joins and of aggregates over windows, against what `as-of-oracle.test.ts` wrote.

    python as_of_oracle.py FOLDER < CASES

CASES is JSON: a list of {name, toleranceUs, exact} and {name, windowUs, exact}. Reads left.csv (id, key, time),
right.csv (key, time, rev, value) and ours.csv (id, NAME_COLUMN…), times in microseconds, nulls empty. Prints for each
case how many rows were compared, found something, and differ.
"""

import json
import sys

import numpy as np
import pandas as pd

folder = sys.argv[1]
integers = {"id": "Int64", "key": "Int64", "time": "Int64", "rev": "Int64", "value": "float64"}
left = pd.read_csv(f"{folder}/left.csv", dtype={name: integers[name] for name in ("id", "key", "time")})
right = pd.read_csv(f"{folder}/right.csv", dtype={name: integers[name] for name in ("key", "time", "rev", "value")})


def known(rows: pd.DataFrame) -> pd.DataFrame:
    """merge_asof takes no null in the time, and lets a null key match another: here neither matches anything."""
    rows = rows.dropna(subset=["key", "time"]).copy()
    rows["key"] = rows["key"].astype("int64")
    rows["time"] = pd.to_datetime(rows["time"].astype("int64"), unit="us")
    return rows


def newest(case: dict) -> pd.DataFrame:
    candidates = known(right).sort_values(["time", "rev"], kind="stable")
    merged = pd.merge_asof(
        known(left).sort_values("time", kind="stable"),
        candidates,
        on="time",
        by="key",
        direction="backward",
        allow_exact_matches=case["exact"] == "include",
        tolerance=None if case["toleranceUs"] is None else pd.Timedelta(case["toleranceUs"], unit="us"),
    )
    return left[["id"]].merge(merged[["id", "value", "rev"]], on="id", how="left")


def microseconds(times: pd.Series) -> np.ndarray:
    return times.to_numpy().astype("datetime64[us]").astype("int64")


def window(case: dict) -> pd.DataFrame:
    """By searching the sorted times of each key: neither DuckDB's windows nor pandas' rolling, which knows no gaps."""
    asked, rows = known(left), known(right).sort_values(["key", "time"])
    groups = {key: group for key, group in rows.groupby("key")}
    parts = []
    for key, questions in asked.groupby("key"):
        group = groups.get(key)
        at = microseconds(questions["time"])
        times = np.array([], "int64") if group is None else microseconds(group["time"])
        values = np.array([], float) if group is None else group["value"].to_numpy()
        first = np.searchsorted(times, at - case["windowUs"], side="left")
        last = np.searchsorted(times, at, side="right" if case["exact"] == "include" else "left")
        present = np.concatenate([[0], np.cumsum(~np.isnan(values))])
        sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
        counted = present[last] - present[first]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(counted > 0, (sums[last] - sums[first]) / counted, np.nan)
        parts.append(pd.DataFrame({"id": questions["id"], "rows": last - first, "mean": mean}))
    result = left[["id"]].merge(pd.concat(parts), on="id", how="left")
    return result.assign(rows=result["rows"].fillna(0).astype("int64"))


ours = pd.read_csv(f"{folder}/ours.csv")
report = []
for case in json.load(sys.stdin):
    answer = window(case) if "windowUs" in case else newest(case)
    both = ours.merge(answer, on="id", how="outer", indicator=True)
    columns = [column for column in answer.columns if column != "id"]
    pairs = [(both[f"{case['name']}_{column}"], both[column].astype("float64").astype("float32")) for column in columns]
    same = [(mine.astype("float32") == theirs) | (mine.isna() & theirs.isna()) for mine, theirs in pairs]
    differ = (both["_merge"] != "both") | ~np.logical_and.reduce(same)
    found = int(pairs[0][0].notna().sum())
    report.append({"case": case["name"], "compared": len(both), "found": found, "differ": int(differ.sum())})
print(json.dumps(report))
