"""What people and events ask for."""
