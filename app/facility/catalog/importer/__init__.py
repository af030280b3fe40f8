"""Reads catalog files as they are found in the world: which file, which columns, what each cell means. Pure values, no database."""
