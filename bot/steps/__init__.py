"""The steps of a turn: `async (message, conversation) -> Reply | None`; None means "not mine"."""
