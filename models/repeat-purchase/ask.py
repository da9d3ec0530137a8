"""Asks a gateway about the customers of a prepared month, one request each: traffic for a canary that is as varied as the real one.

    .tools/trainers/bin/python models/repeat-purchase/ask.py customers-1997-12.parquet --gateway 127.0.0.1:7412 --limit 4000
"""

import argparse
import http.client
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

MODEL = "repeat-purchase"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("month", type=Path)
    parser.add_argument("--gateway", default="127.0.0.1:7412", help="host:port; staging by default")
    parser.add_argument("--limit", type=int, default=4000, help="customers to ask about, spread over the file")
    arguments = parser.parse_args()
    gateway = http.client.HTTPConnection(arguments.gateway, timeout=10)
    inputs = json.loads(call(gateway, "GET", f"/v2/models/{MODEL}"))["inputs"]
    rows = pq.read_table(arguments.month).to_pylist()
    answered: Counter[str] = Counter()
    for row in rows[:: max(1, len(rows) // arguments.limit)]:
        tensors = [{"name": one["name"], "datatype": one["datatype"], "shape": [1, 1], "data": [row[one["name"]]]} for one in inputs]
        answer = call(gateway, "POST", f"/v2/models/{MODEL}/infer", json.dumps({"inputs": tensors}), {"x-perdure-key": row["customer_id"]})
        answered[f"version {json.loads(answer)['model_version']}"] += 1
    print(f"{sum(answered.values())} customers: {dict(answered)}")


def call(gateway: http.client.HTTPConnection, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> bytes:
    gateway.request(method, path, body, {"content-type": "application/json", **(headers or {})} if body else {})
    response = gateway.getresponse()
    text = response.read()
    if response.status != 200:
        raise SystemExit(f"{method} {path}: {response.status} {text.decode()}")
    return text


if __name__ == "__main__":
    main()
