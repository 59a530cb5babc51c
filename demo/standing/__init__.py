"""A cloud that stays up, and the commands that reach it from other terminals."""
