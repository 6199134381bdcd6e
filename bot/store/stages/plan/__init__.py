"""What the planning stages read and write: changes, rollouts and their waves, ages, quarantines."""
