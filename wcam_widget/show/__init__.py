"""What a reader sees: the explorer widget, its pages and its plots."""
