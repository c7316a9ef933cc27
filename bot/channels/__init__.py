"""Ways in and out. A channel translates and nothing more."""
