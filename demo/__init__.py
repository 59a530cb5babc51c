"""What a person runs on this machine: the demo, and a cloud that stays up."""
