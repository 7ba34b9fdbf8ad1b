"""What a study would be made of, looked at before any work: `make inspect`."""
