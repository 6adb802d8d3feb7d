"""Figures of results over images; in ``evaluate`` matplotlib stands here alone."""
