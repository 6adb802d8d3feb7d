"""The score of an image as a function of the weights of its cells: where basis, model and analysis meet."""
