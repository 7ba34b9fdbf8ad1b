"""What rendering leaves behind: names and facts of conditions, views, pictures, masks."""
