"""Perdure's trainer of tabular classifiers. The contract is described in trainers/README.md."""
