"""Turns the CDNOW purchases of the package `lifetimes` into one table: what was known of each customer on 1998-01-01, and the dollars spent in the 90 days after.

    .tools/trainers/bin/python models/customer-value/prepare.py OUT_DIR
"""

import argparse
import sys
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
ASKED_AT, DAYS = date(1998, 1, 1), 90


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    out_dir = parser.parse_args().out_dir
    purchases = read_purchases()
    rows = [row_of(customer, days) for customer, days in sorted(purchases.items()) if min(days) < ASKED_AT]
    out_dir.mkdir(parents=True, exist_ok=True)
    target = out_dir / "customers.parquet"
    pq.write_table(pa.Table.from_pylist(rows), target, compression="zstd")
    print(f"{target}: {len(rows)} customers, {sum(row['spent_next_90d'] > 0 for row in rows)} buy again")


def row_of(customer: str, days: dict[date, float]) -> dict[str, object]:
    known = sorted(day for day in days if day < ASKED_AT)
    recent = [day for day in known if day >= ASKED_AT - timedelta(days=DAYS)]
    later = [day for day in days if ASKED_AT <= day < ASKED_AT + timedelta(days=DAYS)]
    return {
        "customer_id": customer,
        "asked_at": datetime(ASKED_AT.year, ASKED_AT.month, ASKED_AT.day),
        "orders": len(known),
        "spent": round(sum(days[day] for day in known), 2),
        "largest_order": max(days[day] for day in known),
        "orders_90d": len(recent),
        "spent_90d": round(sum(days[day] for day in recent), 2),
        "days_since_first": (ASKED_AT - known[0]).days,
        "days_since_last": (ASKED_AT - known[-1]).days,
        "spent_next_90d": round(sum(days[day] for day in later), 2),
    }


def read_purchases() -> dict[str, dict[date, float]]:
    """By customer and day: dollars."""
    found = sorted((ROOT / ".tools" / "datasets").glob("lib/python*/site-packages/lifetimes/datasets/CDNOW_master.txt"))
    if not found:
        sys.exit("The package lifetimes is not in .tools/datasets. Run `npx perdure doctor`.")
    days: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for line in found[0].read_text().splitlines()[1:]:
        if line.strip():
            customer, day, _discs, dollars = line.split()
            days[customer][datetime.strptime(day, "%Y%m%d").date()] += float(dollars)
    return days


if __name__ == "__main__":
    main()
