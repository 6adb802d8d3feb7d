"""Rows of weights at which a score is evaluated."""
