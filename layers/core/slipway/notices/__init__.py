"""How people are notified: a state is claimed, sent and confirmed, once per destination."""
