"""How people are told: what is claimed, sent and confirmed."""
