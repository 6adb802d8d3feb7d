"""The parts of a figure of an attribution; matplotlib stands here and in plots.py alone."""
