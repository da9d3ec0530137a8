"""One module for each library or estimator, and what several of them share."""
