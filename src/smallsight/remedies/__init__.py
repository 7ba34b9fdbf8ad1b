"""Remedies: changes of input, pooling or head that are meant to help, measured like conditions."""
