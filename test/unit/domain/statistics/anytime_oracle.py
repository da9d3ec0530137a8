"""Numbers that the tests of anytime-valid bounds compare with: the same quantities by SciPy, by other ways.

    python3 -m venv oracles && oracles/bin/pip install -r infra/tools/oracles.requirements.txt
    oracles/bin/python test/unit/domain/statistics/anytime_oracle.py

With the package confseq importable (0.0.11; it is built from source and needs the headers of Boost, so it is no part of the requirements), one arm is also compared with its
beta-binomial mixture: confseq centres its prior at the null mean, so the two are the same where the null mean is a / (a + b).
"""

import json

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import betaln
from scipy.stats import betabinom, binom

PRIOR = [(0.5, 0.5), (0.5, 30.0)]


def log_likelihood(count, total, mean):
    with np.errstate(divide="ignore", invalid="ignore"):
        hits = 0.0 if total == 0 else total * np.log(mean)
        misses = 0.0 if total == count else (count - total) * np.log1p(-mean)
    return hits + misses


def log_mixture(first, second):
    parts = []
    for a, b in PRIOR:
        parts.append(sum(betaln(a + s, b + n - s) - betaln(a, b) for n, s in (first, second)))
    return np.logaddexp.reduce(parts) - np.log(len(parts))


def profile(first, second, difference):
    """Bounded scalar minimization, and both ends."""
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)

    def negative(mean):
        return -(log_likelihood(*first, min(1.0, max(0.0, mean + difference))) + log_likelihood(*second, mean))

    inner = minimize_scalar(negative, bounds=(low, high), method="bounded", options={"xatol": 1e-14})
    return max(-inner.fun, -negative(low), -negative(high))


def limit(first, second, alpha):
    """Upper limit of first minus second, by Brent's method."""
    floor = log_mixture(first, second) + np.log(alpha)
    estimate = first[1] / first[0] - second[1] / second[0]
    if profile(first, second, 1.0) > floor:
        return 1.0
    return brentq(lambda d: profile(first, second, d) - floor, estimate, 1 - 1e-12, xtol=1e-14)


CASES = [
    ((300, 0), (5000, 0)),
    ((300, 3), (5000, 25)),
    ((300, 30), (5000, 0)),
    ((300, 150), (5000, 2500)),
    ((300, 300), (300, 0)),
    ((300, 300), (5000, 5000)),
    ((1, 0), (1, 1)),
    ((100, 0.3), (200, 150.5)),
    ((100000, 3), (2000000, 41)),
]

for first, second in CASES:
    row = {
        "first": first,
        "second": second,
        "logMixture": log_mixture(first, second),
        "low": -limit(second, first, 0.01),
        "high": limit(first, second, 0.05),
    }
    print(json.dumps(row))

# The mixture of one component is SciPy's beta-binomial distribution over the binomial one.
n, s, (a, b) = 300, 3, PRIOR[1]
print("betabinom / binom", betabinom.logpmf(s, n, a, b) - binom.logpmf(s, n, 0.02), betaln(a + s, b + n - s) - betaln(a, b) - log_likelihood(n, s, 0.02))

try:
    from confseq import boundaries
except ImportError:
    boundaries = None

if boundaries is not None:
    for a, b in PRIOR:
        null = a / (a + b)
        g, h = null, 1 - null
        # confseq takes the intrinsic time v_opt for which its prior is best; the prior is Beta(r / g, r / h) in units of g + h = 1. Solve for a = r / g... by its own one-value mixture.
        def found(v_opt, n, s):
            return float(boundaries.beta_binomial_log_mixture(s - n * null, n * g * h, v_opt, g, h, 0.05, False))

        def ours(n, s):
            return betaln(a + s, b + n - s) - betaln(a, b) - log_likelihood(n, s, null)

        v_opt = brentq(lambda v: found(v, 2, 2) - ours(2, 2), 0.5, 1e3)
        for n, s in ((300, 3), (300, 30), (5000, 25), (5000, 2500)):
            print("confseq", (a, b), "v_opt", v_opt, (n, s), found(v_opt, n, s), ours(n, s))
