"""Saved pages and still pictures: an explorer without a kernel."""
