"""What an LLM is told (`llm/`) and every text a person reads that does not belong to a pack (`texts/`)."""
