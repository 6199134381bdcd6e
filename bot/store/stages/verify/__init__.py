"""What the looks at produced images read and write."""
