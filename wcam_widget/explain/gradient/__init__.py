"""Attributions from gradients by wavelet coefficients."""
