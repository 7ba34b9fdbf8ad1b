"""Predictions turned into tables with intervals, tests and verdicts."""
