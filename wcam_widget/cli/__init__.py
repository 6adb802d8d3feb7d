"""The command line: explain image files into a report."""
