"""What the stages that write to the forge read and write."""
