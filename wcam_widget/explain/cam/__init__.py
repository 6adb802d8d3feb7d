"""Class activation maps, and layers of a network as masks on the image."""
