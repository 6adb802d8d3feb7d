"""What runs a network's forward passes: torch, or something faster that was seen to give the same scores."""
