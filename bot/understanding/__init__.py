"""What a message says: who is speaking, what of their own they mention, what they ask after."""
