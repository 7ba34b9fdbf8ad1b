"""Intervals, tests, verdicts and curves; knows no table of the study."""
