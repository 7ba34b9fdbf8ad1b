"""What Python users call: `smallsight.analyse`, `smallsight.render` and `smallsight.report`."""
