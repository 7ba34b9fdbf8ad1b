"""Classifiers of the user's own, in the place of backbone and heads."""
