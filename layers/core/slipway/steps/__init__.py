"""One module per state of the deployment story."""
