"""Estimators of indices: each with its state, run step by step."""
