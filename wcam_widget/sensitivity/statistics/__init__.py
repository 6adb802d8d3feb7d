"""From scores of rows to indices, their intervals, and tests of them."""
