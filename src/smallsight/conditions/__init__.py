"""What is done to a picture: families of changes, their levels, and the rendered pictures."""
