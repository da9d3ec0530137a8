"""Turns MovieLens 100k, which the package `recbole` carries, into candidates to be ranked: one Parquet file a month.

A file of month M has, for each user who liked something in M and something before, one row for each film that the user had not rated when the
ranking was asked for: at the beginning of M, in the last month at the moment when 80 % of all ratings were known. A film is liked with 4 or 5 stars.
All columns but `liked` are made from the ratings before that moment. The last month holds all that came after it, as a test set.

    .tools/trainers/bin/python models/movie-ranking/prepare.py OUT_DIR
"""

import argparse
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
MONTHS = [(1997, 11), (1997, 12), (1998, 1), (1998, 2)]
LAST_MONTH, KNOWN_SHARE = (1998, 3), 0.8
LIKED_FROM = 4
# Ridge of EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data").
RIDGE = 500.0
SCHEMA = pa.schema(
    [
        ("asked_at", pa.timestamp("us")),
        ("user_id", pa.int64()),
        ("film_id", pa.int64()),
        ("likes", pa.float32()),
        ("likes_30d", pa.float32()),
        ("mean_stars", pa.float32()),
        ("release_year", pa.float32()),
        ("item_similarity", pa.float32()),
        ("co_liked", pa.float32()),
        ("genre_affinity", pa.float32()),
        ("user_likes", pa.float32()),
        ("liked", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Ratings:
    """In the order of time, ties by user and film."""

    at: np.ndarray
    user: np.ndarray
    film: np.ndarray
    stars: np.ndarray

    @property
    def liked(self) -> np.ndarray:
        return self.stars >= LIKED_FROM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    folder = installed_folder()
    ratings, (years, genres) = read_ratings(folder / "ml-100k.inter"), read_films(folder / "ml-100k.item")
    out_dir = parser.parse_args().out_dir
    out_dir.mkdir(parents=True, exist_ok=True)
    asked = [(month, begin(ratings, month), begin(ratings, following(month))) for month in MONTHS]
    asked.append((LAST_MONTH, int(len(ratings.at) * KNOWN_SHARE), len(ratings.at)))
    for (year, month), known, until in asked:
        table = candidates(ratings, years, genres, known, until)
        target = out_dir / f"candidates-{year}-{month:02}.parquet"
        pq.write_table(table, target, compression="zstd")
        users = len(set(table["user_id"].to_pylist()))
        print(f"{target}: {table.num_rows} candidates for {users} users, {np.sum(table['liked'])} liked; popularity alone: recall@10 {popularity_recall(table):.4f}")


def candidates(ratings: Ratings, years: np.ndarray, genres: np.ndarray, known: int, until: int) -> pa.Table:
    shape = (ratings.user.max() + 1, len(years))
    rated, liked, outcome = np.zeros(shape, bool), np.zeros(shape), np.zeros(shape, bool)
    past, later = slice(0, known), slice(known, until)
    rated[ratings.user[past], ratings.film[past]] = True
    mark(liked, ratings, past)
    mark(outcome, ratings, later)
    asked_at = ratings.at[known]
    recent = ratings.liked[past] & (ratings.at[past] >= asked_at - timedelta(days=30).total_seconds())
    likes_30d = np.bincount(ratings.film[past][recent], minlength=shape[1])
    stars = np.bincount(ratings.film[past], ratings.stars[past], minlength=shape[1])
    # Five ratings of 3.5 stars beside its own: a film with one rating of five is not the best of all.
    mean_stars = (stars + 3.5 * 5) / (rated.sum(0) + 5)
    together = liked.T @ liked
    by_film = {"likes": liked.sum(0), "likes_30d": likes_30d, "mean_stars": mean_stars, "release_year": years}
    by_pair = {"item_similarity": ease(together, liked), "co_liked": cosine(together, liked), "genre_affinity": affinity(liked, genres)}
    exists = np.bincount(ratings.film, minlength=shape[1]) > 0
    users = np.flatnonzero(outcome.any(1) & (liked.sum(1) > 0))
    pairs = [(user, np.flatnonzero(exists & ~rated[user])) for user in users]
    user_ids, film_ids = np.concatenate([np.full(len(films), user) for user, films in pairs]), np.concatenate([films for _, films in pairs])
    columns = {
        "asked_at": np.full(len(user_ids), np.datetime64(datetime.fromtimestamp(asked_at, timezone.utc).replace(tzinfo=None), "us")),
        "user_id": user_ids,
        "film_id": film_ids,
        **{name: values[film_ids] for name, values in by_film.items()},
        **{name: values[user_ids, film_ids] for name, values in by_pair.items()},
        "user_likes": liked.sum(1)[user_ids],
        "liked": outcome[user_ids, film_ids],
    }
    return pa.table([pa.array(columns[field.name], from_pandas=True).cast(field.type, safe=False) for field in SCHEMA], SCHEMA)


def mark(matrix: np.ndarray, ratings: Ratings, part: slice) -> None:
    yes = ratings.liked[part]
    matrix[ratings.user[part][yes], ratings.film[part][yes]] = 1


def ease(together: np.ndarray, liked: np.ndarray) -> np.ndarray:
    inverse = np.linalg.inv(together + RIDGE * np.eye(len(together)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return liked @ weights


def cosine(together: np.ndarray, liked: np.ndarray) -> np.ndarray:
    norms = np.sqrt(np.diag(together) + 1e-9)
    similarity = together / np.outer(norms, norms)
    np.fill_diagonal(similarity, 0)
    return liked @ similarity


def affinity(liked: np.ndarray, genres: np.ndarray) -> np.ndarray:
    """The share of a film's genres in what the user liked."""
    shares = (liked @ genres) / np.maximum(liked.sum(1, keepdims=True), 1)
    return shares @ genres.T / np.maximum(genres.sum(1), 1)


def popularity_recall(table: pa.Table, k: int = 10) -> float:
    user, likes, liked = (np.asarray(table[name]) for name in ("user_id", "likes", "liked"))
    recalls = []
    for one in np.unique(user):
        rows = user == one
        best = np.argsort(-likes[rows], kind="stable")[:k]
        recalls.append(liked[rows][best].sum() / min(k, liked[rows].sum()))
    return float(np.mean(recalls))


def read_ratings(file: Path) -> Ratings:
    lines = [line.split("\t") for line in file.read_text().splitlines()[1:]]
    rows = sorted((float(at), int(user), int(film), float(stars)) for user, film, stars, at in lines)
    at, user, film, stars = (np.array(column) for column in zip(*rows, strict=True))
    return Ratings(at, user, film, stars)


def read_films(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Release years, missing as NaN, and a column of 0 and 1 for each genre; the film's number is the place."""
    films = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    names = sorted({genre for film in films for genre in film[3].split()})
    years, genres = np.full(max(int(film[0]) for film in films) + 1, np.nan), np.zeros((max(int(film[0]) for film in films) + 1, len(names)))
    for number, _, year, own in films:
        years[int(number)] = float(year) if year.isdigit() else np.nan
        genres[int(number), [names.index(genre) for genre in own.split()]] = 1
    return years, genres


def begin(ratings: Ratings, month: tuple[int, int]) -> int:
    return int(np.searchsorted(ratings.at, datetime(*month, 1, tzinfo=timezone.utc).timestamp()))


def following(month: tuple[int, int]) -> tuple[int, int]:
    return (month[0] + month[1] // 12, month[1] % 12 + 1)


def installed_folder() -> Path:
    found = sorted((ROOT / ".tools" / "datasets").glob("lib/python*/site-packages/recbole/dataset_example/ml-100k"))
    if not found:
        sys.exit("The package recbole is not in .tools/datasets. Run `npx perdure doctor`.")
    return found[0]


if __name__ == "__main__":
    main()
