"""Turns the CDNOW purchases of the package `lifetimes` into one Parquet file a month.

A file of month M has one row for each customer who bought before M: what was known on the first day of M, and how often the customer bought in M.

    .tools/trainers/bin/python models/repeat-purchase/prepare.py OUT_DIR
"""

import argparse
import sys
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
FIRST_MONTH, LAST_MONTH = date(1997, 6, 1), date(1998, 6, 1)
SCHEMA = pa.schema(
    [
        ("year", pa.int32()),
        ("month", pa.int32()),
        ("as_of", pa.timestamp("us")),
        ("customer_id", pa.string()),
        ("cohort", pa.string()),
        ("orders", pa.int32()),
        ("discs", pa.int32()),
        ("spent", pa.float64()),
        ("spent_per_order", pa.float64()),
        ("orders_90d", pa.int32()),
        ("spent_90d", pa.float64()),
        ("days_since_first", pa.int32()),
        ("days_since_last", pa.int32()),
        ("days_between", pa.float64()),
        ("orders_in_month", pa.int32()),
    ]
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--source", type=Path, help="CDNOW_master.txt; by default the one under .tools/datasets")
    arguments = parser.parse_args()
    purchases = read_purchases(arguments.source or installed_source())
    arguments.out_dir.mkdir(parents=True, exist_ok=True)
    month = FIRST_MONTH
    while month <= LAST_MONTH:
        target = arguments.out_dir / f"customers-{month:%Y-%m}.parquet"
        rows = [row for customer in sorted(purchases) if (row := row_of(customer, purchases[customer], month))]
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), target, compression="zstd")
        positives = sum(row["orders_in_month"] > 0 for row in rows)
        print(f"{target}: {len(rows)} customers, {positives} buy")
        month = next_month(month)


def installed_source() -> Path:
    found = sorted((ROOT / ".tools" / "datasets").glob("lib/python*/site-packages/lifetimes/datasets/CDNOW_master.txt"))
    if not found:
        sys.exit("The package lifetimes is not in .tools/datasets. Run `npx perdure doctor`, or pass --source CDNOW_master.txt.")
    return found[0]


def read_purchases(source: Path) -> dict[str, dict[date, tuple[int, float]]]:
    """By customer and day: discs and dollars. Several purchases of one day are one."""
    days: dict[str, dict[date, tuple[int, float]]] = defaultdict(dict)
    for line in source.read_text().splitlines()[1:]:
        if not line.strip():
            continue
        customer, day_text, discs, dollars = line.split()
        day = datetime.strptime(day_text, "%Y%m%d").date()
        before = days[customer].get(day, (0, 0.0))
        days[customer][day] = (before[0] + int(discs), before[1] + float(dollars))
    return days


def row_of(customer: str, days: dict[date, tuple[int, float]], month: date) -> dict[str, object] | None:
    """What is known of a customer when the month begins; None for one who has not bought yet."""
    known = sorted(day for day in days if day < month)
    if not known:
        return None
    recent = [day for day in known if day >= month - timedelta(days=90)]
    spent = round(sum(days[day][1] for day in known), 2)
    end = next_month(month)
    return {
        "year": month.year,
        "month": month.month,
        "as_of": datetime(month.year, month.month, 1),
        "customer_id": customer,
        "cohort": f"{known[0]:%Y-%m}",
        "orders": len(known),
        "discs": sum(days[day][0] for day in known),
        "spent": spent,
        "spent_per_order": spent / len(known),
        "orders_90d": len(recent),
        "spent_90d": round(sum(days[day][1] for day in recent), 2),
        "days_since_first": (month - known[0]).days,
        "days_since_last": (month - known[-1]).days,
        "days_between": (known[-1] - known[0]).days / (len(known) - 1) if len(known) > 1 else None,
        "orders_in_month": sum(month <= day < end for day in days),
    }


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


if __name__ == "__main__":
    main()
