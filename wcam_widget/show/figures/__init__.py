"""The parts of a figure of an attribution; in ``show`` matplotlib stands here and in plots.py alone."""
