"""What screens and other rooms may read of supervision. Row-level security keeps each officer to their district."""
