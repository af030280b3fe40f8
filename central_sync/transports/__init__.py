"""Ways over the bridge. The outbox stays the source of truth whichever is taken."""
